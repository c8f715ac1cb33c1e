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
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	SetQueueAttributes(context.Context, *sqs.SetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.SetQueueAttributesOutput, error)
}

// queuePair is a queue and where its dead letters go, after how many receives.
type queuePair struct {
	name, failures string
	receives       int
}

func queuePairs(maxReceives int) []queuePair {
	return []queuePair{
		{settings.WebhooksQueue, deadletter.WebhookFailures, maxReceives},
		{settings.NotificationsQueue, deadletter.NotificationFailures, maxReceives},
		{settings.AuditQueue, settings.AuditFailuresQueue, settings.AuditMaxReceives},
	}
}

// ownQueues are the names of the six.
func ownQueues() (names []string) {
	for _, q := range queuePairs(0) {
		names = append(names, q.name, q.failures)
	}
	return names
}

// createQueues makes the six queues with the attributes of a deployment. Those
// that are there already stay as they are, but for their redrive policy: who
// handles a message drains it by the same count that SQS moves it by.
func createQueues(ctx context.Context, api queueAPI, maxReceives int) error {
	for _, q := range queuePairs(maxReceives) {
		kind := map[string]string{"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "180"}
		if q.name == settings.AuditQueue {
			kind["FifoQueue"] = "true"
			kind["DeduplicationScope"] = "messageGroup"
			kind["FifoThroughputLimit"] = "perMessageGroupId"
		}
		if _, err := createQueue(ctx, api, q.failures, kind); err != nil {
			return err
		}
		redrive := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, queueARN(q.failures), q.receives)
		kind[redrivePolicy] = redrive
		exists, err := createQueue(ctx, api, q.name, kind)
		if err == nil && exists {
			err = redriveBy(ctx, api, q.name, redrive)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const redrivePolicy = string(types.QueueAttributeNameRedrivePolicy)

// createQueue reports whether a queue of that name is there already, with
// attributes that differ from these.
func createQueue(ctx context.Context, api queueAPI, name string, attributes map[string]string) (exists bool, err error) {
	_, err = api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	var other *types.QueueNameExists
	if errors.As(err, &other) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("create queue %s: %w", name, err)
	}
	return false, nil
}

// redriveBy gives a queue a redrive policy. It holds for messages that are in
// the queue too: SQS looks at it when it hands one out.
func redriveBy(ctx context.Context, api queueAPI, name, policy string) error {
	q, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err == nil {
		_, err = api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: q.QueueUrl,
			Attributes: map[string]string{redrivePolicy: policy}})
	}
	if err != nil {
		return fmt.Errorf("set the redrive policy of queue %s: %w", name, err)
	}
	return nil
}
