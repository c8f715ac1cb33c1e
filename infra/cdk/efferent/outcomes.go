package efferent

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// OutcomeProps is who hears how it ended.
type OutcomeProps struct {
	// To is the ARN of a queue, or of an EventBridge bus. Default: nobody hears.
	To string
	// Kinds are which: docs/outcomes.md has them. Default: failures and transitions.
	Kinds string
	// Tenant is whose registered endpoints get them, by the queue of events, in place
	// of To. Default: nobody's.
	Tenant string
}

// told tells whether anybody hears.
func (p OutcomeProps) told() bool { return p.To != "" || p.Tenant != "" }

func (p OutcomeProps) check() error {
	switch {
	case p.To != "" && p.Tenant != "":
		return fmt.Errorf("props To and Tenant: outcomes go to one place: a queue or bus, or a tenant's endpoints")
	case p.To == "" || isToken(p.To) || queueARN.MatchString(p.To):
	case !strings.HasPrefix(p.To, "arn:") || !strings.Contains(p.To, ":events:") || !strings.Contains(p.To, ":event-bus/"):
		return fmt.Errorf("prop To %q: is neither the ARN of a queue nor that of an EventBridge bus", p.To)
	}
	env := map[string]string{settings.OutcomeKinds: p.Kinds, settings.OutcomesTenant: p.Tenant}
	_, err := settings.ReadOutcomes(func(name string) string { return env[name] })
	return err
}

// tells has a function tell outcomes, and gives what it must be allowed for that.
func (e *Efferent) tells(p OutcomeProps, env map[string]string) []awsiam.PolicyStatement {
	given(env, settings.OutcomeKinds, p.Kinds)
	given(env, settings.OutcomesTenant, p.Tenant)
	switch {
	case p.Tenant != "":
		env[settings.Outcomes] = *e.Events.QueueUrl()
		return []awsiam.PolicyStatement{allow(*e.Events.QueueArn(), "sqs:SendMessage")}
	case p.To == "":
		return nil
	case strings.Contains(p.To, ":event-bus/"):
		env[settings.Outcomes] = p.To
		return []awsiam.PolicyStatement{allow(p.To, "events:PutEvents")}
	}
	if e.outcomes == nil {
		e.outcomes = awssqs.Queue_FromQueueArn(e.Construct, jsii.String("Outcomes"), &p.To)
	}
	env[settings.Outcomes] = *e.outcomes.QueueUrl()
	return []awsiam.PolicyStatement{allow(p.To, "sqs:SendMessage")}
}
