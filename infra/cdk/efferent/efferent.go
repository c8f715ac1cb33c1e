// Package efferent is Efferent as AWS CDK constructs: its queues, tables and
// functions, with their permissions, alarms and dashboard. The app beside it
// deploys them as a stack; another CDK app may make them part of its own.
package efferent

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// DefaultLambdas is where `make lambdas` leaves the built functions.
const DefaultLambdas = "build/lambdas"

// Props is what may be chosen. Its zero value is a sound deployment.
type Props struct {
	// Prefix begins the names of the queues: "prod-" makes "prod-webhooks".
	// A letter, then letters, digits and hyphens, 40 at most. Default: none.
	Prefix string
	// Lambdas is the directory of the built functions, <name>/bootstrap each,
	// as `make lambdas` leaves it. Default: DefaultLambdas, below the working
	// directory.
	Lambdas string
	// Code is where a function's code is and what it was built for, in place of
	// Lambdas. Default: nil.
	Code func(scope constructs.Construct, name string) (awslambda.Code, awslambda.Architecture)
	// Version is what was built, for the stack's output. Default: what `make
	// lambdas` left in the file "version" of Lambdas.
	Version string
	// RemovalPolicy is what becomes of the queues, the tables, the buckets, the
	// ledger's key and the log groups when they are removed from the stack, or it is
	// removed itself. Default: they stay, unless the very deployment that made them
	// fails. A queue whose name changes stays in any case. A bucket that is not empty
	// can't be removed.
	RemovalPolicy awscdk.RemovalPolicy
	// WithoutNotifications leaves out the queues and the function of
	// notifications, and all that is about them. Default: they are there.
	WithoutNotifications bool
	// WithoutAPI leaves out the HTTP API of the dead-letter queues and the
	// deliveries, the function behind it, and all that is about them. Default:
	// they are there.
	WithoutAPI bool
	// Key is the ARN of a key of KMS, of the stack's account and region, that encrypts
	// queues, tables, buckets, logs and the secret of the ledger's hashes. The functions
	// may use it through these services; CloudWatch Logs must be let by the key's own
	// policy (LetLogsUse), and producers who are not given theirs by
	// GrantSendMessages by themselves. Queues and tables of your own, and secrets,
	// that are encrypted by a key must be so by this one. Default: AWS's own keys.
	Key string
	// VPC is where the functions run. Default: in no VPC of yours.
	VPC VPCProps
	// Tags are put on everything that takes tags, up to 50. Default: none.
	Tags map[string]string
	// XRay has the functions traced by AWS X-Ray, and lets them send it what they add.
	// It is paid for by the trace. Default: they are not.
	XRay       bool
	Queues     QueueProps
	Tables     TableProps
	Sending    SendingProps
	Deliver    DeliverProps
	Notify     NotifyProps
	Release    ReleaseProps
	Rotate     RotateProps
	Replay     ReplayProps
	Fanout     FanoutProps
	Register   RegisterProps
	Outcomes   OutcomeProps
	Ledger     LedgerProps
	Audit      AuditProps
	Checkpoint CheckpointProps
	Alarms     AlarmProps
}

// Efferent is what was made of Props.
type Efferent struct {
	// Construct holds all of it.
	Construct constructs.Construct
	// What producers send to; nil what was left out.
	Webhooks, Notifications, Events awssqs.IQueue
	// Where SQS parks what could not be delivered.
	WebhookFailures, NotificationFailures, EventFailures awssqs.IQueue
	// The FIFO queue to the ledger, and what the ledger could not take.
	Audit, AuditFailures awssqs.IQueue
	// Attempts is the table of attempt records.
	Attempts awsdynamodb.ITableV2
	// Waiting is the table of what waits for longer than SQS should hide it.
	Waiting awsdynamodb.ITableV2
	// Circuits is the table of the circuits of endpoints.
	Circuits awsdynamodb.ITableV2
	// Pace is the table of how fast whom may be sent to.
	Pace awsdynamodb.ITableV2
	// Endpoints is the table of the endpoints that are registered.
	Endpoints awsdynamodb.ITableV2
	// Directory is the table of what is known of those who are notified, Know the
	// function behind its API, and KnowLogs its logs; nil where they were left out.
	Directory awsdynamodb.ITableV2
	Know      awslambda.IFunction
	KnowLogs  awslogs.ILogGroup
	// Deliver is the function that sends webhooks, and DeliverLogs its logs.
	Deliver     awslambda.IFunction
	DeliverLogs awslogs.ILogGroup
	// Notify is the function that sends notifications, and NotifyLogs its logs;
	// nil where they were left out.
	Notify     awslambda.IFunction
	NotifyLogs awslogs.ILogGroup
	// Release is the function that sends what has waited, and ReleaseLogs its
	// logs.
	Release     awslambda.IFunction
	ReleaseLogs awslogs.ILogGroup
	// Rotate is the function that makes new keys by schedule, and RotateLogs its
	// logs; nil where no secret is to be rotated.
	Rotate     awslambda.IFunction
	RotateLogs awslogs.ILogGroup
	// API is the HTTP API of the dead-letter queues and the deliveries, APILogs
	// who called it, Replay the function that answers, and ReplayLogs its logs;
	// nil where it was left out.
	API        awsapigatewayv2.IHttpApi
	APILogs    awslogs.ILogGroup
	Replay     awslambda.IFunction
	ReplayLogs awslogs.ILogGroup
	// Published is the table of the events that were published.
	Published awsdynamodb.ITableV2
	// Fanout is the function that turns events into messages to endpoints, Register the
	// one behind the API of endpoints, nil where the API was left out, and their logs.
	Fanout, Register         awslambda.IFunction
	FanoutLogs, RegisterLogs awslogs.ILogGroup
	// Ledger is the table of the ledger's heads and of its newest entries,
	// LedgerObjects the bucket of the others and of the tree, and Checkpoints
	// that of what was signed.
	Ledger                     awsdynamodb.ITableV2
	LedgerObjects, Checkpoints awss3.IBucket
	// LedgerKey signs, unless a key in a secret does; LedgerOrigin is what it
	// signs for.
	LedgerKey    awskms.Key
	LedgerOrigin string
	// AppendLedger is the function that appends, and SignLedger the one that
	// signs, with their logs.
	AppendLedger, SignLedger         awslambda.IFunction
	AppendLedgerLogs, SignLedgerLogs awslogs.ILogGroup
	Dashboard                        awscloudwatch.Dashboard
	kept                             keeping
	// api is API, to have routes added, and outcomes the queue that is told of them.
	api      awsapigatewayv2.HttpApi
	outcomes awssqs.IQueue
	// ledgerKeys is the name of the secret of the keys that redact.
	ledgerKeys string
	// version is what was built, "" if nobody said.
	version string
}

// prefixPattern is what a prefix is.
const prefixPattern = `^([A-Za-z][A-Za-z0-9-]{0,39})?$`

var prefixes = regexp.MustCompile(prefixPattern)

// New makes Efferent below scope. Its error says which of the props is wrong,
// and what would be right.
func New(scope constructs.Construct, id string, props Props) (*Efferent, error) {
	if !isToken(props.Prefix) && !prefixes.MatchString(props.Prefix) {
		return nil, fmt.Errorf("prop Prefix %q: must be a letter, then letters, digits and hyphens, 40 at most", props.Prefix)
	}
	props = props.withDefaults()
	if err := props.check(); err != nil {
		return nil, err
	}
	if err := props.Outcomes.check(); err != nil {
		return nil, of("Outcomes", err)
	}
	e := &Efferent{Construct: constructs.NewConstruct(scope, jsii.String(id)), version: props.Version}

	e.kept = newKeeping(e.Construct, props)
	e.makeQueues(props)
	e.makeTables(props)
	for _, part := range []struct {
		name string
		make func(Props) error
	}{
		{"Ledger", e.makeLedger}, {"Deliver", e.makeDeliver}, {"Notify", e.makeNotify}, {"Release", e.makeRelease},
		{"Rotate", e.makeRotate},
		{"Replay", e.makeReplay}, {"Fanout", e.makeFanout}, {"Register", e.makeRegister},
		{"Register", e.makeDirectory},
		{"Audit", e.makeAudit}, {"Checkpoint", e.makeCheckpoint},
	} {
		if err := part.make(props); err != nil {
			return nil, of(part.name, err)
		}
	}

	e.Dashboard = newDashboard(e, props, newAlarms(e, props))
	e.explain()
	tag(e.Construct, props.Tags)
	return e, nil
}

func (e *Efferent) makeTables(props Props) {
	for _, t := range []struct {
		name  string
		table *awsdynamodb.ITableV2
		make  func(keeping) awsdynamodb.ITableV2
	}{
		{attemptsTable, &e.Attempts, newAttempts}, {waitingTable, &e.Waiting, newWaiting}, {circuitsTable, &e.Circuits, newCircuits},
		{paceTable, &e.Pace, newPace}, {endpointsTable, &e.Endpoints, newEndpoints},
		{publishedTable, &e.Published, newPublished}, {directoryTable, &e.Directory, newDirectory},
	} {
		if t.name == directoryTable && props.WithoutNotifications {
			continue
		}
		*t.table = props.Tables.table(e.Construct, t.name, func() awsdynamodb.ITableV2 { return t.make(e.kept) })
	}
}

func (p Props) withDefaults() Props {
	p.Lambdas = or(p.Lambdas, DefaultLambdas)
	p.Version = or(p.Version, builtVersion(p.Lambdas))
	p.RemovalPolicy = or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	p.Queues = p.Queues.withDefaults()
	p.Deliver = p.Deliver.withDefaults()
	p.Notify = p.Notify.withDefaults()
	p.Release = p.Release.withDefaults()
	p.Rotate = p.Rotate.withDefaults()
	p.Replay = p.Replay.withDefaults()
	p.Fanout = p.Fanout.withDefaults(p.Queues.VisibilityTimeout)
	p.Register = p.Register.withDefaults()
	p.Ledger = p.Ledger.withDefaults()
	p.Audit = p.Audit.withDefaults(p.Queues.VisibilityTimeout)
	p.Checkpoint = p.Checkpoint.withDefaults()
	p.Alarms = p.Alarms.withDefaults()
	return p
}

// or is value, unless that is zero.
func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
