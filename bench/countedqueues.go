package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// counted is SQS, with its requests on the bill ("Amazon SQS pricing": moving a
// message to the dead-letter queue is free).
type counted struct {
	*sqsserver.Engine
	bill *bill
}

// chunks is how many requests SQS counts for so many bytes.
func chunks(bytes int) float64 { return float64(max(1, (bytes+64<<10-1)/(64<<10))) }

// kindOf is what a request to a queue is billed as.
func kindOf(queue string) string {
	if strings.HasSuffix(queue, ".fifo") {
		return "fifo"
	}
	return "sqs"
}

// ReceiveMessage waits for nothing. Those that find nothing are not counted: what
// they cost is the month of none.
func (c counted) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	at := *in
	at.WaitTimeSeconds = 0
	out, err := c.Engine.ReceiveMessage(ctx, &at, o...)
	if err == nil && len(out.Messages) > 0 {
		size := 0
		for _, m := range out.Messages {
			size += len(*m.Body)
		}
		c.bill.add(kindOf(*in.QueueUrl), chunks(size))
	}
	return out, err
}

func (c counted) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, o ...func(*sqs.Options)) (
	*sqs.GetQueueAttributesOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), 1)
	return c.Engine.GetQueueAttributes(ctx, in, o...)
}

func (c counted) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (
	*sqs.DeleteMessageBatchOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), 1)
	return c.Engine.DeleteMessageBatch(ctx, in, o...)
}

func (c counted) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, o ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityBatchOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), 1)
	c.bill.step("hide")
	return c.Engine.ChangeMessageVisibilityBatch(ctx, in, o...)
}

func (c counted) SendMessage(ctx context.Context, in *sqs.SendMessageInput, o ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), chunks(len(*in.MessageBody)))
	c.bill.step("send")
	return c.Engine.SendMessage(ctx, in, o...)
}

func (c counted) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (
	*sqs.SendMessageBatchOutput, error) {
	size := 0
	for _, e := range in.Entries {
		size += len(*e.MessageBody)
		for name, a := range e.MessageAttributes {
			size += len(name) + len(*a.DataType) + len(*a.StringValue)
		}
	}
	c.bill.add(kindOf(*in.QueueUrl), chunks(size))
	c.bill.step("send")
	return c.Engine.SendMessageBatch(ctx, in, o...)
}

// openQueues plays SQS, until stop is called.
func openQueues(ctx context.Context, clock clockwork.Clock) (engine *sqsserver.Engine, stop func(), err error) {
	db, err := sqlite.Open(":memory:")
	if err != nil {
		return nil, nil, err
	}
	engine, err = sqsserver.Open(ctx, sqlite.NewQueues(db), sqsserver.Options{Clock: clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	stop = func() {
		engine.Close()
		db.Close()
	}
	for _, q := range []struct {
		name       string
		attributes map[string]string
	}{
		{"webhook-failures", nil},
		{"webhooks", map[string]string{"VisibilityTimeout": "180",
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:webhook-failures","maxReceiveCount":6}`}},
		{"event-failures", nil},
		{"events", map[string]string{"VisibilityTimeout": "180",
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:event-failures","maxReceiveCount":6}`}},
		{"audit.fifo", map[string]string{"FifoQueue": "true"}},
	} {
		if _, err := engine.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &q.name, Attributes: q.attributes}); err != nil {
			stop()
			return nil, nil, err
		}
	}
	return engine, stop, nil
}
