package awssqs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/message"
)

// Source sends received messages of a dead-letter queue to the queue that they
// came from. It may be used by many goroutines at once.
type Source struct {
	API SendAPI
	URL string
}

// maxAttributes is the most attributes that a message can have ("Amazon SQS
// message metadata").
const maxAttributes = 10

// Send sends m as a new message: its body, its message group, and of its own
// attributes what there is room for beside those that are given. What it carried
// when it came is not sent on.
func (s *Source) Send(ctx context.Context, m events.SQSMessage, attributes map[string]string) (string, error) {
	in := &sdk.SendMessageInput{QueueUrl: &s.URL, MessageBody: &m.Body, MessageAttributes: map[string]types.MessageAttributeValue{}}
	if group := m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]; group != "" {
		in.MessageGroupId = &group
	}
	for name, value := range attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	for _, name := range slices.SortedFunc(maps.Keys(m.MessageAttributes), message.CompareNames) {
		a := m.MessageAttributes[name]
		if _, given := in.MessageAttributes[name]; !given && !message.IsCarried(name) && len(in.MessageAttributes) < maxAttributes {
			in.MessageAttributes[name] = types.MessageAttributeValue{DataType: &a.DataType, StringValue: a.StringValue, BinaryValue: a.BinaryValue}
		}
	}
	out, err := s.API.SendMessage(ctx, in)
	if err != nil {
		err = fmt.Errorf("send to %s: %w", s.URL, err)
		if tooLarge(err) {
			err = fmt.Errorf("%w: %w", deadletter.ErrTooLarge, err)
		}
		return "", err
	}
	return aws.ToString(out.MessageId), nil
}
