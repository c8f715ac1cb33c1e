package awssqs

import (
	"context"
	"fmt"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Identity tells a queue from a former one of its name. It may be used by many
// goroutines at once.
type Identity struct {
	API AttributesAPI
	URL string
}

// Created returns when the queue was made, in seconds since 1970, as of now.
func (i *Identity) Created(ctx context.Context) (int64, error) {
	out, err := i.API.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
		QueueUrl: &i.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameCreatedTimestamp}})
	if err != nil {
		return 0, fmt.Errorf("when %s was made: %w", i.URL, err)
	}
	created, err := strconv.ParseInt(out.Attributes[string(types.QueueAttributeNameCreatedTimestamp)], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("when %s was made: %w", i.URL, err)
	}
	return created, nil
}

// OwnAPI is what a consumer takes that looks at its own queue.
type OwnAPI interface {
	ConsumeAPI
	AttributesAPI
}

// Own is a queue as its own consumer sees it: it can hide messages, and tell
// the queue from a former one.
type Own struct {
	*Queue
	*Identity
}

// NewOwn returns the queue at a URL.
func NewOwn(api OwnAPI, url string) Own {
	return Own{&Queue{API: api, URL: url}, &Identity{API: api, URL: url}}
}
