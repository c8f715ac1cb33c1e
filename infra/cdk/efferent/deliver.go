package efferent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// DeliverProps is what may be chosen of the function that sends webhooks.
type DeliverProps struct {
	FunctionProps
	SourceProps
	// Secrets is what the names of the secrets begin with that it may sign
	// with: "efferent/webhooks/", or longer. Default: that.
	Secrets string
	// AllowHTTP says where plain http may go: "none", "loopback", "all", or a
	// list of hosts by commas. Default: "none".
	AllowHTTP string
	// AllowCIDRs lists networks that may be sent to although they are not
	// public: "10.1.0.0/16,fd00::/8". Default: none.
	AllowCIDRs string
	// AllowPorts are the ports that may be connected to: "443,8000-8999". Default:
	// all.
	AllowPorts string
	// ProxyResolves says that Sending.Proxy is given the names of endpoints, looks them
	// up, and guards them: what it connects to is not checked by anybody else then.
	// Default: addresses are looked up and checked here, and the proxy is given those.
	ProxyResolves bool
	// ExchangeTimeout is how long a whole exchange may take, from the look-up of
	// the host to the end of the answer, 1 s to 20 s. Timeout must be 10 s more.
	// Default: 10 s.
	ExchangeTimeout time.Duration
	// Response is how many bytes of a failure's answer its record keeps, 1 to
	// 4096. A record of more than a write unit of DynamoDB costs two or more.
	// Default: 1024.
	Response int
	// CABundle names a secret below "efferent/" that holds certificates of private
	// authorities, as PEM: they vouch for endpoints besides the public ones. The
	// function does not start without it. Default: none.
	CABundle string
	// MaxHeld is how long a message waits for open circuits in all before it is
	// exhausted, 1 minute to 14 days. Default: 6 hours.
	MaxHeld time.Duration
	// Circuits is when the circuits of endpoints open, and for how long:
	// "failures=5;exchanges=20;first=30s;longest=15m". What is left out is
	// as it is there.
	Circuits string
	// SecretGrace is how long after a secret's rotation the key before signs too, 0
	// (not at all) to 7 days. Default: 24 hours.
	SecretGrace *time.Duration
}

// secretNames is what the names of all secrets begin with.
const secretNames = "efferent/"

func (p DeliverProps) withDefaults() DeliverProps {
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.SourceProps = p.SourceProps.withDefaults()
	p.Secrets = or(p.Secrets, webhook.SecretPrefix)
	p.ExchangeTimeout = or(p.ExchangeTimeout, webhook.DefaultTimeout)
	return p
}

func (e *Efferent) makeDeliver(props Props) (err error) {
	p := props.Deliver
	if !isToken(p.Secrets) && !strings.HasPrefix(p.Secrets, webhook.SecretPrefix) {
		return fmt.Errorf("prop Secrets %q: must begin with %s", p.Secrets, webhook.SecretPrefix)
	}
	if p.CABundle != "" && !strings.HasPrefix(p.CABundle, secretNames) {
		return fmt.Errorf("prop CABundle %q: must begin with %s", p.CABundle, secretNames)
	}
	env := p.environment(props)
	_, err = settings.ReadWebhooks(func(name string) string { return env[name] })
	if err = errors.Join(err, checkSending(p.Timeout, p.ExchangeTimeout),
		checkSource(props.Queues.VisibilityTimeout, p.FunctionProps, p.SourceProps)); err != nil {
		return err
	}
	env[settings.WebhooksQueueURL] = *e.Webhooks.QueueUrl()
	env[settings.AuditQueueURL] = *e.Audit.QueueUrl()
	env[settings.AttemptsTable] = *e.Attempts.TableName()
	env[settings.WaitingTable] = *e.Waiting.TableName()
	env[settings.CircuitsTable] = *e.Circuits.TableName()
	env[settings.PaceTable] = *e.Pace.TableName()
	env[settings.EndpointsTable] = *e.Endpoints.TableName()
	e.redacts(env, props.Ledger)

	e.Deliver, e.DeliverLogs, err = e.newFunction(plan{
		id: "Deliver", name: "deliver", description: "Efferent: sends webhooks",
		env: env, grants: append(e.deliverGrants(p), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	feed(e.Construct, "DeliverSource", e.Webhooks, e.Deliver, p.SourceProps)
	return nil
}

// environment is the settings that were chosen.
func (p DeliverProps) environment(props Props) map[string]string {
	env := props.Sending.environment(props.Queues)
	p.network(env)
	if p.ExchangeTimeout != webhook.DefaultTimeout {
		env[settings.Timeout] = p.ExchangeTimeout.String()
	}
	if p.Response != 0 {
		env[settings.ResponseLimit] = strconv.Itoa(p.Response)
	}
	given(env, settings.CircuitLimits, p.Circuits)
	p.secretGrace(env)
	p.maxHeld(env)
	return env
}

// network is for who sends signed webhooks.
func (p DeliverProps) network(env map[string]string) {
	given(env, settings.AllowHTTP, p.AllowHTTP)
	given(env, settings.AllowCIDRs, p.AllowCIDRs)
	given(env, settings.AllowPorts, p.AllowPorts)
	if p.ProxyResolves {
		env[settings.ProxyResolves] = "true"
	}
	given(env, settings.CABundle, p.CABundle)
}

// maxHeld is for who holds messages, and for who lets them out.
func (p DeliverProps) maxHeld(env map[string]string) {
	if p.MaxHeld != 0 {
		env[settings.MaxHeld] = p.MaxHeld.String()
	}
}

// secretGrace is for who signs, and for who makes new keys.
func (p DeliverProps) secretGrace(env map[string]string) {
	if p.SecretGrace != nil {
		env[settings.SecretGrace] = p.SecretGrace.String()
	}
}

// deliverGrants is written out: the grant methods of the queues and the table
// would add actions that deliver never uses.
func (e *Efferent) deliverGrants(p DeliverProps) []awsiam.PolicyStatement {
	grants := []awsiam.PolicyStatement{
		allow(*e.Webhooks.QueueArn(), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Attempts.TableArn(), "dynamodb:Query", "dynamodb:BatchWriteItem", "dynamodb:PutItem"),
		allow(*e.Waiting.TableArn(), "dynamodb:PutItem"),
		allow(*e.Circuits.TableArn(), "dynamodb:BatchGetItem", "dynamodb:PutItem"),
		allow(*e.Pace.TableArn(), "dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
		allow(*e.Endpoints.TableArn(), "dynamodb:BatchGetItem", "dynamodb:PutItem"),
		allow(e.arn("secretsmanager", "secret", awscdk.ArnFormat_COLON_RESOURCE_NAME, p.Secrets+"*"), "secretsmanager:GetSecretValue"),
		e.readsLedgerKeys(),
	}
	if p.CABundle != "" {
		grants = append(grants, allow(e.secret(p.CABundle), "secretsmanager:GetSecretValue"))
	}
	return grants
}
