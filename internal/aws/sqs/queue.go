// Package awssqs reaches queues through the SQS API. The local SQS engine has the
// client's very methods, so the same code serves both.
package awssqs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/message"
)

// batchLimit is the most entries of one batch request ("Amazon SQS message
// quotas").
const batchLimit = 10

// ConsumeAPI is what consuming a queue takes.
type ConsumeAPI interface {
	ReceiveMessage(context.Context, *sdk.ReceiveMessageInput, ...func(*sdk.Options)) (*sdk.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sdk.DeleteMessageBatchInput, ...func(*sdk.Options)) (*sdk.DeleteMessageBatchOutput, error)
	HideAPI
}

// Queue consumes one queue. It may be used by many goroutines at once.
type Queue struct {
	API ConsumeAPI
	URL string
	// ARN and Region are handed on in the events, as Lambda does.
	ARN, Region string
}

// Receive waits up to 20 s for the first message and returns up to limit.
func (q *Queue) Receive(ctx context.Context, limit int) ([]events.SQSMessage, error) {
	out, err := q.API.ReceiveMessage(ctx, &sdk.ReceiveMessageInput{
		QueueUrl:                    &q.URL,
		MaxNumberOfMessages:         int32(limit),
		WaitTimeSeconds:             20,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.URL, err)
	}
	messages := make([]events.SQSMessage, len(out.Messages))
	for i := range out.Messages {
		messages[i] = event(&out.Messages[i])
		messages[i].EventSourceARN, messages[i].AWSRegion = q.ARN, q.Region
	}
	return messages, nil
}

// event is a message as Lambda hands it to a function.
func event(m *types.Message) events.SQSMessage {
	e := events.SQSMessage{
		MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle),
		Body: aws.ToString(m.Body), Md5OfBody: aws.ToString(m.MD5OfBody), Md5OfMessageAttributes: aws.ToString(m.MD5OfMessageAttributes),
		Attributes: m.Attributes, EventSource: "aws:sqs",
	}
	if len(m.MessageAttributes) > 0 {
		e.MessageAttributes = make(map[string]events.SQSMessageAttribute, len(m.MessageAttributes))
	}
	for name, a := range m.MessageAttributes {
		e.MessageAttributes[name] = events.SQSMessageAttribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType),
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return e
}

// Delete removes received messages, ten a request.
func (q *Queue) Delete(ctx context.Context, messages []events.SQSMessage) error {
	var failures []error
	for len(messages) > 0 {
		n := min(batchLimit, len(messages))
		failures = append(failures, q.deleteBatch(ctx, messages[:n]))
		messages = messages[n:]
	}
	return errors.Join(failures...)
}

func (q *Queue) deleteBatch(ctx context.Context, messages []events.SQSMessage) error {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(messages))
	for i := range messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: &batchIDs[i], ReceiptHandle: &messages[i].ReceiptHandle}
	}
	out, err := q.API.DeleteMessageBatch(ctx, &sdk.DeleteMessageBatchInput{QueueUrl: &q.URL, Entries: entries})
	if err != nil {
		return fmt.Errorf("delete %d messages from %s: %w", len(messages), q.URL, err)
	}
	if len(out.Failed) == 0 {
		return nil
	}
	var failed []string
	for _, f := range out.Failed {
		failed = append(failed, aws.ToString(f.Id)+": "+aws.ToString(f.Code))
	}
	return fmt.Errorf("delete from %s: refused for %s", q.URL, strings.Join(failed, ", "))
}

var batchIDs = [batchLimit]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// ChangeVisibility hides received messages, each for its time from now, in whole
// seconds; ten a request, several requests at a time. Its error says how many of
// them were refused, and why the first was.
func (q *Queue) ChangeVisibility(ctx context.Context, hides []message.Hide) error {
	return hide(ctx, q.API, q.URL, hides)
}
