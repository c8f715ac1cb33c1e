package awssqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/message"
)

// LettersAPI is what working through a dead-letter queue takes.
type LettersAPI interface {
	ConsumeAPI
	AttributesAPI
}

// AttributesAPI is what looking at a queue takes.
type AttributesAPI interface {
	GetQueueAttributes(context.Context, *sdk.GetQueueAttributesInput, ...func(*sdk.Options)) (*sdk.GetQueueAttributesOutput, error)
}

// Letters works through a dead-letter queue. It may be used by many goroutines
// at once.
type Letters struct {
	API LettersAPI
	URL string
}

// Receive returns up to 10 messages, hidden for hide, and waits for the first
// for up to wait, both in whole seconds. A long poll asks all of SQS's servers,
// so that nothing means nothing ("Amazon SQS short and long polling").
func (l *Letters) Receive(ctx context.Context, hide, wait time.Duration) ([]events.SQSMessage, error) {
	out, err := l.API.ReceiveMessage(ctx, &sdk.ReceiveMessageInput{
		QueueUrl:                    &l.URL,
		MaxNumberOfMessages:         batchLimit,
		VisibilityTimeout:           int32(hide / time.Second),
		WaitTimeSeconds:             int32(wait / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", l.URL, err)
	}
	messages := make([]events.SQSMessage, len(out.Messages))
	for i := range out.Messages {
		messages[i] = event(&out.Messages[i])
	}
	return messages, nil
}

// Show makes received messages visible at once, ten a request, several
// requests at a time.
func (l *Letters) Show(ctx context.Context, messages []events.SQSMessage) error {
	shows := make([]message.Hide, len(messages))
	for i := range messages {
		shows[i].ReceiptHandle = messages[i].ReceiptHandle
	}
	return hide(ctx, l.API, l.URL, shows)
}

// Delete removes received messages, ten a request.
func (l *Letters) Delete(ctx context.Context, messages []events.SQSMessage) error {
	return (&Queue{API: l.API, URL: l.URL}).Delete(ctx, messages)
}

// longestRetention: "Amazon SQS message quotas".
const longestRetention = 14 * 24 * time.Hour

// Count asks how many messages there are, about.
func (l *Letters) Count(ctx context.Context) (deadletter.Count, error) {
	out, err := l.API.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{QueueUrl: &l.URL, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed, types.QueueAttributeNameMessageRetentionPeriod,
	}})
	if err != nil {
		return deadletter.Count{}, fmt.Errorf("count the messages of %s: %w", l.URL, err)
	}
	number := func(name types.QueueAttributeName) int {
		n, parseErr := strconv.Atoi(out.Attributes[string(name)])
		if parseErr != nil {
			err = errors.Join(err, fmt.Errorf("count the messages of %s: %s is %q", l.URL, name, out.Attributes[string(name)]))
		}
		return n
	}
	kept := longestRetention // as long as SQS keeps any, where an endpoint tells nothing (ElasticMQ)
	if _, told := out.Attributes[string(types.QueueAttributeNameMessageRetentionPeriod)]; told {
		kept = time.Duration(number(types.QueueAttributeNameMessageRetentionPeriod)) * time.Second
	}
	return deadletter.Count{
		Visible:   number(types.QueueAttributeNameApproximateNumberOfMessages),
		Hidden:    number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		Delayed:   number(types.QueueAttributeNameApproximateNumberOfMessagesDelayed),
		Retention: kept,
	}, err
}
