package efferent

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"github.com/efferent/efferent/internal/settings"
)

// ReleaseProps is what may be chosen of the function that sends what is due in
// the waiting room back to its queue.
type ReleaseProps struct {
	// FunctionProps are those of any function, but that Timeout is 60 s by
	// default, and 30 s at least: a run sends until shortly before it ends, and
	// the next one goes on there. Memory is 1024 MiB by default: a run has 200
	// messages in hand, of up to 1 MiB each.
	FunctionProps
}

// releaseEvery is how often it runs. The places of the room are minutes.
const releaseEvery = time.Minute

// leastRelease leaves time to look through the places of a minute, and to send.
const leastRelease = 30 * time.Second

func (p ReleaseProps) withDefaults() ReleaseProps {
	p.Timeout = or(p.Timeout, time.Minute)
	p.Memory = or(p.Memory, 1024)
	p.FunctionProps = p.FunctionProps.withDefaults()
	return p
}

func (p ReleaseProps) check() error {
	if p.Timeout < leastRelease {
		return fmt.Errorf("prop Timeout %s: must be at least %s, or a run would end before it has sent what is due", p.Timeout, leastRelease)
	}
	return nil
}

// makeRelease makes the function, and its clock.
func (e *Efferent) makeRelease(props Props) (err error) {
	p := props.Release
	if err := p.check(); err != nil {
		return err
	}
	env := map[string]string{
		settings.WebhooksQueueURL:      *e.Webhooks.QueueUrl(),
		settings.NotificationsQueueURL: e.notificationsURL(),
		settings.EventsQueueURL:        *e.Events.QueueUrl(),
		settings.WaitingTable:          *e.Waiting.TableName(),
		settings.CircuitsTable:         *e.Circuits.TableName(),
		settings.EndpointsTable:        *e.Endpoints.TableName(),
	}
	props.Deliver.maxHeld(env)
	e.Release, e.ReleaseLogs, err = e.newFunction(plan{
		id: "Release", name: "release", description: "Efferent: sends what is due in the waiting room back to its queue",
		env: env, grants: e.releaseGrants(),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	wake(e.Construct, "ReleaseClock", "Efferent: has what is due in the waiting room sent", e.Release, releaseEvery)
	return nil
}

// releaseGrants is written out, as deliverGrants is. Where an item goes is what
// it says of itself, and it can go nowhere else than to these queues.
func (e *Efferent) releaseGrants() (grants []awsiam.PolicyStatement) {
	for _, q := range there(e.Webhooks, e.Notifications, e.Events) {
		grants = append(grants, allow(*q.QueueArn(), "sqs:SendMessage"))
	}
	return append(grants,
		allow(*e.Waiting.TableArn(), "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem",
			"dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:BatchWriteItem"),
		allow(*e.Circuits.TableArn(), "dynamodb:Scan", "dynamodb:PutItem"),
		allow(*e.Endpoints.TableArn(), "dynamodb:BatchGetItem"))
}
