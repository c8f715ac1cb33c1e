package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

func queueURL(awsURL, name string) string { return awsURL + "/" + localAccount + "/" + name }

func queueARN(name string) string {
	return "arn:aws:sqs:" + localRegion + ":" + localAccount + ":" + name
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
		{settings.EventsQueue, deadletter.EventFailures, maxReceives},
		{settings.AuditQueue, settings.AuditFailuresQueue, settings.AuditMaxReceives},
	}
}

// ownQueues are the names of the eight.
func ownQueues() (names []string) {
	for _, q := range queuePairs(0) {
		names = append(names, q.name, q.failures)
	}
	return names
}

// reportsPair is that of delivery reports, which not every deployment has.
func reportsPair(maxReceives int) queuePair {
	return queuePair{settings.ReportsQueue, deadletter.ReportFailures, maxReceives}
}

// devQueues are those of dev.
func devQueues() []string {
	return append(ownQueues(), settings.ReportsQueue, deadletter.ReportFailures, settings.OutcomesQueue)
}

// The attributes of queues that Efferent rests on.
const (
	retention      = string(types.QueueAttributeNameMessageRetentionPeriod)
	visibility     = string(types.QueueAttributeNameVisibilityTimeout)
	encrypted      = string(types.QueueAttributeNameSqsManagedSseEnabled)
	fifoQueue      = string(types.QueueAttributeNameFifoQueue)
	dedupScope     = string(types.QueueAttributeNameDeduplicationScope)
	fifoThroughput = string(types.QueueAttributeNameFifoThroughputLimit)
	contentDedup   = string(types.QueueAttributeNameContentBasedDeduplication)
	redrivePolicy  = string(types.QueueAttributeNameRedrivePolicy)
	redriveAllow   = string(types.QueueAttributeNameRedriveAllowPolicy)
	transport      = string(types.QueueAttributeNamePolicy)
)

// deployedAttributes are what a deployment gives a queue, its policies left out:
// those hold ARNs. A test holds them against the template of infra/cdk.
func deployedAttributes(name string) map[string]string {
	set := map[string]string{retention: "1209600", visibility: "180", encrypted: "true"}
	if strings.HasSuffix(name, ".fifo") {
		set[fifoQueue], set[contentDedup] = "true", "false"
		set[dedupScope], set[fifoThroughput] = "messageGroup", "perMessageGroupId"
	}
	return set
}

// createQueues makes dev's queues with the attributes of a deployment. Those that are
// there already stay as they are, but for their redrive policy: who
// handles a message drains it by the same count that SQS moves it by.
func createQueues(ctx context.Context, api queueAPI, maxReceives int) error {
	m := queueMaker{api: api, receives: maxReceives, update: []string{redrivePolicy}, settle: func(context.Context) {}}
	_, err := m.all(ctx)
	if err == nil {
		_, err = m.pair(ctx, reportsPair(maxReceives))
	}
	if err == nil {
		_, _, err = m.ensure(ctx, settings.OutcomesQueue, nil)
	}
	return err
}

// queueAPI is what making queues takes.
type queueAPI interface {
	queueLookAPI
	CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
	SetQueueAttributes(context.Context, *sqs.SetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.SetQueueAttributesOutput, error)
}

// queueLookAPI is what looking at queues takes.
type queueLookAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// queueState is a queue that is there.
type queueState struct {
	name, url  string
	attributes map[string]string
}

func (q *queueState) arn() string { return q.attributes[string(types.QueueAttributeNameQueueArn)] }

// overTLS: the queue is used by TLS, as AWS's are, and not some emulator's.
func (q *queueState) overTLS() bool { return isTLS(q.url) }

func isTLS(url string) bool { return strings.HasPrefix(url, "https://") }

// readQueue reads what a queue is like; nil where there is none.
func readQueue(ctx context.Context, api queueLookAPI, name string) (*queueState, error) {
	found, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the queue %s: %w", name, err)
	}
	q := &queueState{name: name, url: *found.QueueUrl}
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if isMissing(err) { // deleted since
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the attributes of queue %s: %w", name, err)
	}
	q.attributes = out.Attributes
	return q, nil
}
