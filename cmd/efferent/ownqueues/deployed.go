package ownqueues

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

// Pair is a queue and where its dead letters go, after how many receives.
type Pair struct {
	Name, Failures string
	Receives       int
}

// Pairs are those that every deployment has.
func Pairs(maxReceives int) []Pair {
	return []Pair{
		{settings.WebhooksQueue, deadletter.WebhookFailures, maxReceives},
		{settings.NotificationsQueue, deadletter.NotificationFailures, maxReceives},
		{settings.EventsQueue, deadletter.EventFailures, maxReceives},
		{settings.AuditQueue, settings.AuditFailuresQueue, settings.AuditMaxReceives},
	}
}

// Names are the names of the eight.
func Names() (names []string) {
	for _, q := range Pairs(0) {
		names = append(names, q.Name, q.Failures)
	}
	return names
}

// The attributes of queues that Efferent rests on.
const (
	Retention      = string(types.QueueAttributeNameMessageRetentionPeriod)
	Visibility     = string(types.QueueAttributeNameVisibilityTimeout)
	Encrypted      = string(types.QueueAttributeNameSqsManagedSseEnabled)
	FifoQueue      = string(types.QueueAttributeNameFifoQueue)
	dedupScope     = string(types.QueueAttributeNameDeduplicationScope)
	FifoThroughput = string(types.QueueAttributeNameFifoThroughputLimit)
	contentDedup   = string(types.QueueAttributeNameContentBasedDeduplication)
	RedrivePolicy  = string(types.QueueAttributeNameRedrivePolicy)
	RedriveAllow   = string(types.QueueAttributeNameRedriveAllowPolicy)
	Transport      = string(types.QueueAttributeNamePolicy)
)

// Attributes are what a deployment gives a queue, its policies left out:
// those hold ARNs. A test holds them against the template of infra/cdk.
func Attributes(name string) map[string]string {
	set := map[string]string{Retention: "1209600", Visibility: "180", Encrypted: "true"}
	if strings.HasSuffix(name, ".fifo") {
		set[FifoQueue], set[contentDedup] = "true", "false"
		set[dedupScope], set[FifoThroughput] = "messageGroup", "perMessageGroupId"
	}
	return set
}

// LookAPI is what looking at queues takes.
type LookAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// State is a queue that is there.
type State struct {
	Name, URL  string
	Attributes map[string]string
}

// ARN is the ARN that the queue itself gives.
func (q *State) ARN() string { return q.Attributes[string(types.QueueAttributeNameQueueArn)] }

// overTLS: the queue is used by TLS, as AWS's are, and not some emulator's.
func (q *State) overTLS() bool { return isTLS(q.URL) }

func isTLS(url string) bool { return strings.HasPrefix(url, "https://") }

// Read reads what a queue is like; nil where there is none.
func Read(ctx context.Context, api LookAPI, name string) (*State, error) {
	found, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the queue %s: %w", name, err)
	}
	q := &State{Name: name, URL: *found.QueueUrl}
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if isMissing(err) { // deleted since
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the attributes of queue %s: %w", name, err)
	}
	q.Attributes = out.Attributes
	return q, nil
}
