package life

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

func (w *world) standin(ctx context.Context) error {
	now := w.clock.Now()
	for _, item := range w.stores.Room() {
		if item.State != waiting.Waiting || item.Due.Sub(now) > 90*time.Second {
			continue
		}
		item.Carried.Released = now
		url := queueURL + settings.WebhooksQueue
		e := types.SendMessageBatchRequestEntry{Id: aws.String("0"), MessageBody: &item.Body, MessageGroupId: &item.Group,
			DelaySeconds:      int32(max(0, (item.Due.Sub(now)+time.Second-1)/time.Second)),
			MessageAttributes: map[string]types.MessageAttributeValue{}}
		for name, a := range item.Sendable() {
			e.MessageAttributes[name] = types.MessageAttributeValue{DataType: &a.Type, StringValue: &a.Text}
		}
		if _, err := w.queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url,
			Entries: []types.SendMessageBatchRequestEntry{e}}); err != nil {
			return err
		}
		if err := w.stores.Settle(ctx, []waiting.Item{item}, waiting.Sent); err != nil {
			return err
		}
	}
	return nil
}
