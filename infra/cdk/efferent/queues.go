package efferent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

// QueueProps holds for all the queues.
type QueueProps struct {
	// VisibilityTimeout hides a received message, in whole seconds up to 12
	// hours: at least 6 times the timeout of the function that consumes it,
	// and its batching window. Default: 180 s.
	VisibilityTimeout time.Duration
	// Retention is how long a message is kept, 1 minute to 14 days. Default:
	// 14 days.
	Retention time.Duration
	// MaxReceiveCount is how often SQS hands out a webhook or a notification
	// before it moves it to the dead-letter queue, 5 to 1000. AWS advises 5 at
	// least ("Understanding SQS retries"). Who is to be drained is received so
	// often, and each receive is paid for. Default: 6, with which what can't
	// wait elsewhere outlasts a day of trouble. It does not hold for audit.fifo,
	// which drains nothing: that has 20.
	MaxReceiveCount int
}

func (p QueueProps) withDefaults() QueueProps {
	p.VisibilityTimeout = or(p.VisibilityTimeout, 180*time.Second)
	p.Retention = or(p.Retention, 14*24*time.Hour)
	p.MaxReceiveCount = or(p.MaxReceiveCount, settings.DefaultMaxReceives)
	return p
}

// leastReceives is what AWS advises for queues that feed functions.
const leastReceives = 5

func (p QueueProps) check() error {
	if p.MaxReceiveCount < leastReceives {
		return fmt.Errorf("prop MaxReceiveCount %d: must be at least %d, or throttled invocations alone may use up a message's receives",
			p.MaxReceiveCount, leastReceives)
	}
	return nil
}

// pair is a queue and the dead-letter queue that is its alone.
type pair struct {
	title          string
	main, failures awssqs.IQueue
}

func (e *Efferent) makeQueues(props Props) (pairs []pair) {
	webhooks := newPair(e.Construct, "Webhook", props, settings.WebhooksQueue, deadletter.WebhookFailures)
	e.Webhooks, e.WebhookFailures = webhooks.main, webhooks.failures
	pairs = append(pairs, webhooks)
	if !props.WithoutNotifications {
		notifications := newPair(e.Construct, "Notification", props, settings.NotificationsQueue, deadletter.NotificationFailures)
		e.Notifications, e.NotificationFailures = notifications.main, notifications.failures
		pairs = append(pairs, notifications)
	}
	audit := newPair(e.Construct, "Audit", props, settings.AuditQueue, settings.AuditFailuresQueue)
	e.Audit, e.AuditFailures = audit.main, audit.failures
	return append(pairs, audit)
}

// there are those of queues that were not left out.
func there(queues ...awssqs.IQueue) []awssqs.IQueue {
	return slices.DeleteFunc(queues, func(q awssqs.IQueue) bool { return q == nil })
}

// notificationsURL is where notifications are, or that there are none.
func (e *Efferent) notificationsURL() string {
	if e.Notifications == nil {
		return settings.None
	}
	return *e.Notifications.QueueUrl()
}

func newPair(scope constructs.Construct, title string, props Props, name, failures string) pair {
	// Each of the two names the other. CloudFormation can't make a circle, so
	// the source is named by the ARN that it will have.
	source := awssqs.Queue_FromQueueArn(scope, jsii.String(title+"Source"), awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("sqs"), Resource: jsii.String(props.Prefix + name),
	}))
	parked := queueProps(props, failures)
	parked.RedriveAllowPolicy = &awssqs.RedriveAllowPolicy{
		RedrivePermission: awssqs.RedrivePermission_BY_QUEUE,
		SourceQueues:      &[]awssqs.IQueue{source},
	}
	dead := awssqs.NewQueue(scope, jsii.String(title+"Failures"), parked)
	sent := queueProps(props, name)
	receives := props.Queues.MaxReceiveCount
	if name == settings.AuditQueue {
		receives = settings.AuditMaxReceives
	}
	sent.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(receives)}
	return pair{title, awssqs.NewQueue(scope, jsii.String(title+"Queue"), sent), dead}
}

// queueProps is what every queue has. The suffix .fifo makes a FIFO queue.
func queueProps(props Props, name string) *awssqs.QueueProps {
	q := &awssqs.QueueProps{
		QueueName:         jsii.String(props.Prefix + name),
		VisibilityTimeout: seconds(props.Queues.VisibilityTimeout),
		RetentionPeriod:   seconds(props.Queues.Retention),
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
	}
	if strings.HasSuffix(name, ".fifo") {
		q.Fifo = jsii.Bool(true)
		// High throughput: 300 sends a second of each group, not of the queue.
		q.DeduplicationScope = awssqs.DeduplicationScope_MESSAGE_GROUP
		q.FifoThroughputLimit = awssqs.FifoThroughputLimit_PER_MESSAGE_GROUP_ID
		q.ContentBasedDeduplication = jsii.Bool(false) // senders name the deduplication id
	}
	return q
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
