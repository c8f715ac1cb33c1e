package efferent

import (
	"errors"
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
	// FailuresRetention is how long a dead-letter queue keeps one, Retention at
	// least: SQS counts from when the message was first sent ("Setting the message
	// retention period for dead-letter queues"). Default: 14 days.
	FailuresRetention time.Duration
	// MaxReceiveCount is how often SQS hands out a webhook or a notification
	// before it moves it to the dead-letter queue, 5 to 1000. AWS advises 5 at
	// least ("Understanding SQS retries"). Who is to be drained is received so
	// often, and each receive is paid for. Default: 6, with which what can't
	// wait elsewhere outlasts a day of trouble. It does not hold for audit.fifo,
	// which drains nothing: that has 20.
	MaxReceiveCount int
	// Own are queues that are there already and are to be used, by what Efferent calls
	// them: "webhooks" and so on. Each has its ARN, or "" for the queue of that name,
	// behind Prefix, in the stack's account and region. A queue takes its dead-letter
	// queue with it. Nothing about them is changed: docs/deploy.md says what they must
	// be like. Default: none; all queues are made.
	Own map[string]string
}

func (p QueueProps) withDefaults() QueueProps {
	p.VisibilityTimeout = or(p.VisibilityTimeout, 180*time.Second)
	p.Retention = or(p.Retention, 14*24*time.Hour)
	p.FailuresRetention = or(p.FailuresRetention, 14*24*time.Hour)
	p.MaxReceiveCount = or(p.MaxReceiveCount, settings.DefaultMaxReceives)
	return p
}

// leastReceives is what AWS advises for queues that feed functions.
const leastReceives = 5

// What SQS takes ("SetQueueAttributes").
const (
	mostVisibility = 12 * time.Hour
	leastRetention = time.Minute
	mostRetention  = 14 * 24 * time.Hour
)

func (p QueueProps) check() error {
	errs := []error{
		within("VisibilityTimeout", p.VisibilityTimeout, time.Second, mostVisibility),
		within("Retention", p.Retention, leastRetention, mostRetention),
		within("FailuresRetention", p.FailuresRetention, leastRetention, mostRetention),
		p.checkOwn(),
	}
	if p.FailuresRetention < p.Retention {
		errs = append(errs, fmt.Errorf("prop FailuresRetention %s: must be at least Retention, which is %s, or a dead letter would be gone "+
			"before its queue would have let it go", p.FailuresRetention, p.Retention))
	}
	switch {
	case p.MaxReceiveCount < leastReceives:
		errs = append(errs, fmt.Errorf("prop MaxReceiveCount %d: must be at least %d, or throttled invocations alone may use up a message's "+
			"receives", p.MaxReceiveCount, leastReceives))
	case p.MaxReceiveCount > settings.MostReceives:
		errs = append(errs, fmt.Errorf("prop MaxReceiveCount %d: SQS takes %d at most", p.MaxReceiveCount, settings.MostReceives))
	}
	return errors.Join(errs...)
}

// pair is a queue and the dead-letter queue that is its alone.
type pair struct {
	title          string
	main, failures awssqs.IQueue
}

func (e *Efferent) makeQueues(props Props) {
	webhooks := e.makePair("Webhook", props, settings.WebhooksQueue, deadletter.WebhookFailures)
	e.Webhooks, e.WebhookFailures = webhooks.main, webhooks.failures
	if !props.WithoutNotifications {
		notifications := e.makePair("Notification", props, settings.NotificationsQueue, deadletter.NotificationFailures)
		e.Notifications, e.NotificationFailures = notifications.main, notifications.failures
	}
	events := e.makePair("Event", props, settings.EventsQueue, deadletter.EventFailures)
	e.Events, e.EventFailures = events.main, events.failures
	if props.reported() {
		reports := e.makePair("Report", props, settings.ReportsQueue, deadletter.ReportFailures)
		e.Reports, e.ReportFailures = reports.main, reports.failures
	}
	audit := e.makePair("Audit", props, settings.AuditQueue, settings.AuditFailuresQueue)
	e.Audit, e.AuditFailures = audit.main, audit.failures
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

// makePair makes a queue and its dead-letter queue, unless they are there already.
func (e *Efferent) makePair(title string, props Props, name, failures string) pair {
	if _, own := props.Queues.Own[name]; own {
		return pair{title, ownQueue(e.Construct, title+"Queue", props, name), ownQueue(e.Construct, title+"Failures", props, failures)}
	}
	return newPair(e.kept, title, props, name, failures)
}

func newPair(k keeping, title string, props Props, name, failures string) pair {
	scope := k.scope
	// Each of the two names the other. CloudFormation can't make a circle, so
	// the source is named by the ARN that it will have.
	source := awssqs.Queue_FromQueueArn(scope, jsii.String(title+"Source"), awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("sqs"), Resource: jsii.String(props.Prefix + name),
	}))
	parked := queueProps(k, props, failures)
	parked.RetentionPeriod = seconds(props.Queues.FailuresRetention)
	parked.RedriveAllowPolicy = &awssqs.RedriveAllowPolicy{
		RedrivePermission: awssqs.RedrivePermission_BY_QUEUE,
		SourceQueues:      &[]awssqs.IQueue{source},
	}
	dead := newQueue(scope, title+"Failures", parked)
	sent := queueProps(k, props, name)
	receives := props.Queues.MaxReceiveCount
	if name == settings.AuditQueue {
		receives = settings.AuditMaxReceives
	}
	sent.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(receives)}
	return pair{title, newQueue(scope, title+"Queue", sent), dead}
}

// newQueue makes a queue that is never deleted for another of a new name: what is in
// it would be lost, and a name may be changed without a thought of that.
func newQueue(scope constructs.Construct, id string, p *awssqs.QueueProps) awssqs.IQueue {
	q := awssqs.NewQueue(scope, jsii.String(id), p)
	q.Node().DefaultChild().(awscdk.CfnResource).CfnOptions().SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
	return q
}

// queueProps is what every queue has. The suffix .fifo makes a FIFO queue.
func queueProps(k keeping, props Props, name string) *awssqs.QueueProps {
	q := &awssqs.QueueProps{
		QueueName:         jsii.String(props.Prefix + name),
		VisibilityTimeout: seconds(props.Queues.VisibilityTimeout),
		RetentionPeriod:   seconds(props.Queues.Retention),
		EnforceSSL:        jsii.Bool(true),
	}
	k.queue(q)
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
