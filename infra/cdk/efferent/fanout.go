package efferent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// FanoutProps is what may be chosen of the function that turns events into messages to
// endpoints, and of where events come from besides their queue.
type FanoutProps struct {
	// FunctionProps are those of any function, but that Timeout is a sixth of the
	// visibility timeout by default, 30 s at most.
	FunctionProps
	SourceProps
	// Bus is the name or the ARN of an EventBridge bus, of the stack's account and
	// region, whose events from Sources are taken as published. Default: none.
	Bus string
	// Sources are what those events have as their source: "shop.orders". Needed with Bus.
	Sources []string
	// EventRetention is how long it is kept who gets a published event, and its body: 24
	// hours to 366 days. An event that comes back from the dead-letter queue after that goes
	// to those who subscribe by then. Default: 14 days.
	EventRetention time.Duration
}

func (p FanoutProps) withDefaults(visibility time.Duration) FanoutProps {
	p.Timeout = or(p.Timeout, min(30*time.Second, (visibility/6).Truncate(time.Second)))
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.SourceProps = p.SourceProps.withDefaults()
	return p
}

// keeps tells a function how long events are kept.
func (p FanoutProps) keeps(env map[string]string) {
	if p.EventRetention != 0 {
		env[settings.EventRetention] = p.EventRetention.String()
	}
}

func (p FanoutProps) check() error {
	if (p.Bus == "") != (len(p.Sources) == 0) || slices.Contains(p.Sources, "") {
		return fmt.Errorf("props Bus %q and Sources %q: go together, and a source is not empty", p.Bus, p.Sources)
	}
	return nil
}

func (e *Efferent) makeFanout(props Props) (err error) {
	p := props.Fanout
	env := props.Sending.environment(props.Queues)
	env[settings.EventsQueueURL] = *e.Events.QueueUrl()
	env[settings.WebhooksQueueURL] = *e.Webhooks.QueueUrl()
	env[settings.AuditQueueURL] = *e.Audit.QueueUrl()
	env[settings.AttemptsTable] = *e.Attempts.TableName()
	env[settings.WaitingTable] = *e.Waiting.TableName()
	env[settings.EndpointsTable] = *e.Endpoints.TableName()
	env[settings.EventsTable] = *e.Published.TableName()
	p.keeps(env)
	e.redacts(env, props.Ledger)
	_, err = settings.ReadFanout(func(name string) string { return env[name] })
	if err = errors.Join(err, p.check(), checkSource(props.Queues.VisibilityTimeout, p.FunctionProps, p.SourceProps)); err != nil {
		return err
	}
	e.Fanout, e.FanoutLogs, err = e.newFunction(plan{
		id: "Fanout", name: "fanout", description: "Efferent: turns events into messages to the endpoints that subscribe",
		env: env, grants: append(e.fanoutGrants(), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	feed(e.Construct, "FanoutSource", e.Events, e.Fanout, p.SourceProps)
	e.takesFrom(p)
	return nil
}

// fanoutGrants is written out, as deliverGrants is.
func (e *Efferent) fanoutGrants() []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow(*e.Events.QueueArn(), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
		allow(*e.Webhooks.QueueArn(), "sqs:SendMessage"),
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Attempts.TableArn(), "dynamodb:Query", "dynamodb:BatchWriteItem", "dynamodb:PutItem"),
		allow(*e.Waiting.TableArn(), "dynamodb:PutItem"),
		allow(*e.Endpoints.TableArn(), "dynamodb:BatchGetItem"),
		allow(*e.Published.TableArn(), "dynamodb:PutItem"),
		e.readsLedgerKeys(),
	}
}

// takesFrom has a bus send its events to the queue, as they are: fanout reads their
// shape. The queue's policy lets this rule alone.
func (e *Efferent) takesFrom(p FanoutProps) {
	if p.Bus == "" {
		return
	}
	id := jsii.String("EventBus")
	bus := awsevents.EventBus_FromEventBusName
	if len(p.Bus) > 4 && p.Bus[:4] == "arn:" {
		bus = awsevents.EventBus_FromEventBusArn
	}
	awsevents.NewRule(e.Construct, jsii.String("EventBusRule"), &awsevents.RuleProps{
		Description:  jsii.String("Efferent: events of this bus go to the endpoints that subscribe"),
		EventBus:     bus(e.Construct, id, &p.Bus),
		EventPattern: &awsevents.EventPattern{Source: jsii.Strings(p.Sources...)},
		Targets:      &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(e.Events, nil)},
	})
}
