package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

func queueURL(awsURL, name string) string { return awsURL + "/" + localAccount + "/" + name }

func queueARN(name string) string {
	return "arn:aws:sqs:" + localRegion + ":" + localAccount + ":" + name
}

// queueAPI is what making queues takes.
type queueAPI interface {
	CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
}

// createQueues makes the six queues with the attributes of a deployment; those
// that are there already stay as they are.
func createQueues(ctx context.Context, api queueAPI, maxReceives int) error {
	for _, q := range []struct{ name, failures string }{
		{settings.WebhooksQueue, deadletter.WebhookFailures},
		{settings.NotificationsQueue, deadletter.NotificationFailures},
		{settings.AuditQueue, settings.AuditFailuresQueue},
	} {
		kind := map[string]string{"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "180"}
		if q.name == settings.AuditQueue {
			kind["FifoQueue"] = "true"
			kind["DeduplicationScope"] = "messageGroup"
			kind["FifoThroughputLimit"] = "perMessageGroupId"
		}
		if err := createQueue(ctx, api, q.failures, kind); err != nil {
			return err
		}
		kind["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, queueARN(q.failures), maxReceives)
		if err := createQueue(ctx, api, q.name, kind); err != nil {
			return err
		}
	}
	return nil
}

func createQueue(ctx context.Context, api queueAPI, name string, attributes map[string]string) error {
	_, err := api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	var exists *types.QueueNameExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("create queue %s: %w", name, err)
	}
	return nil
}
