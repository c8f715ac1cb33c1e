package efferent

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// FunctionProps is what may be chosen of any function.
type FunctionProps struct {
	// Architecture is what the function runs on. Default: what its bootstrap
	// was built for, which is arm64 unless `make lambdas` was told otherwise.
	// A bootstrap that was built for another one is refused.
	Architecture awslambda.Architecture
	// Timeout ends an invocation, in whole seconds up to 15 minutes. Default: 30 s.
	Timeout time.Duration
	// Memory is in MiB, 128 to 10240. Lambda gives CPU in proportion.
	// Default: 256.
	Memory int
	// LogRetention is how many days its logs are kept, one of those that
	// CloudWatch Logs knows. Default: 30, as long as attempt records are.
	LogRetention int
}

func (p FunctionProps) withDefaults() FunctionProps {
	p.Timeout = or(p.Timeout, 30*time.Second)
	p.Memory = or(p.Memory, 256)
	p.LogRetention = or(p.LogRetention, 30)
	return p
}

// SourceProps is how a function is fed from its queue.
type SourceProps struct {
	// BatchSize is the most messages of one invocation, 1 to 10000; a function
	// handles all of them at once. Default: 10.
	BatchSize int
	// Window is how long Lambda waits for a batch to fill, up to 5 minutes.
	// Batches of over 10 need at least a second. Default: 0.
	Window time.Duration
	// MaxConcurrency is the most invocations at a time, 2 to 1000. What is
	// over it waits in the queue, while throttling by reserved concurrency
	// would use up the messages' receives. Default: 50.
	MaxConcurrency int
}

func (p SourceProps) withDefaults() SourceProps {
	p.BatchSize = or(p.BatchSize, 10)
	p.MaxConcurrency = or(p.MaxConcurrency, 50)
	return p
}

// retentions are the days that CloudWatch Logs can keep logs ("PutRetentionPolicy").
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// plan is a function to be made: what differs between one and another.
type plan struct {
	id, name, description string
	env                   map[string]string
	// grants is all that it may do, besides writing its own logs.
	grants []awsiam.PolicyStatement
}

// newFunction makes what is planned, with a log group and a role that are
// its alone. The role's policy is inline, so that the function is never there
// without it.
func (e *Efferent) newFunction(p plan, props Props, f FunctionProps) (awslambda.IFunction, awslogs.ILogGroup, error) {
	code, arch, err := props.code(e.Construct, p.name, f.Architecture)
	if err != nil {
		return nil, nil, err
	}
	logs := e.kept.logs(p.id+"Logs", f.LogRetention)
	grants := slices.Concat(p.grants, []awsiam.PolicyStatement{allow(*logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")},
		e.kept.grants(), props.VPC.grants(), tracing(props))
	role := awsiam.NewRole(e.Construct, jsii.String(p.id+"Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What Efferent's function " + p.name + " may do"),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			p.name: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &grants}),
		},
	})
	function := awslambda.NewFunction(e.Construct, jsii.String(p.id+"Function"), &awslambda.FunctionProps{
		Description:  jsii.String(p.description),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: arch,
		Handler:      jsii.String("bootstrap"),
		Code:         code,
		Timeout:      seconds(f.Timeout),
		MemorySize:   jsii.Number(f.Memory),
		Environment:  pointers(p.env, props.Sending.Metrics),
		Role:         role,
		LogGroup:     logs,
		// Of Lambda's own lines only those of what went wrong, a time-out too: START and
		// REPORT are 290 bytes an invocation ("Log-level filtering").
		LoggingFormat:    awslambda.LoggingFormat_JSON,
		SystemLogLevelV2: awslambda.SystemLogLevel_WARN,
	})
	made := function.Node().DefaultChild().(awslambda.CfnFunction)
	// The CDK repeats as DependsOn what GetAtt of the role says already.
	made.AddMetadata(jsii.String("cfn-lint"), map[string]any{"config": map[string]any{"ignore_checks": []string{"W3005"}}})
	props.VPC.place(made)
	if props.XRay {
		made.SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("Active")})
	}
	return function, logs, nil
}

// tracing lets a function send what it traces. X-Ray knows no resource for that
// ("Actions, resources, and condition keys for AWS X-Ray").
func tracing(props Props) []awsiam.PolicyStatement {
	if !props.XRay {
		return nil
	}
	return []awsiam.PolicyStatement{allow("*", "xray:PutTelemetryRecords", "xray:PutTraceSegments")}
}

// pointers is the environment, with what holds for each function.
func pointers(env map[string]string, metrics string) *map[string]*string {
	all := make(map[string]*string, len(env))
	if metrics != "" {
		all[settings.Metrics] = &metrics
	}
	for name, value := range env {
		all[name] = &value
	}
	return &all
}

// feed hands a queue's messages to a function. The function grants itself
// nothing here: what it needs of the queue is among its plan's grants.
func feed(scope constructs.Construct, id string, from awssqs.IQueue, to awslambda.IFunction, p SourceProps) {
	mapping := &awslambda.EventSourceMappingProps{
		Target:                  to,
		EventSourceArn:          from.QueueArn(),
		BatchSize:               jsii.Number(p.BatchSize),
		MaxConcurrency:          jsii.Number(p.MaxConcurrency),
		ReportBatchItemFailures: jsii.Bool(true),
	}
	if !*from.Fifo() { // a FIFO queue has no window
		mapping.MaxBatchingWindow = seconds(p.Window)
	}
	awslambda.NewEventSourceMapping(scope, jsii.String(id), mapping)
}

// wake runs a function by the clock, in whole minutes.
func wake(scope constructs.Construct, id, description string, f awslambda.IFunction, every time.Duration) {
	awsevents.NewRule(scope, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String(description),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(every.Minutes()))),
		Targets:     &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(f, nil)},
	})
}

// checkSource holds a queue's visibility timeout against AWS's rule ("Creating
// and configuring an Amazon SQS event source mapping"): with less, a message
// could come again while its first batch is still being retried by Lambda.
func checkSource(visibility time.Duration, f FunctionProps, s SourceProps) error {
	if least := 6*f.Timeout + s.Window; visibility < least {
		return fmt.Errorf("a function timeout of %s and a window of %s need a visibility timeout of at least %s: Queues.VisibilityTimeout is %s",
			f.Timeout, s.Window, least, visibility)
	}
	if s.BatchSize > 10 && s.Window < time.Second {
		return fmt.Errorf("prop BatchSize %d: batches of over 10 need a Window of at least 1s", s.BatchSize)
	}
	return nil
}

// allow is one statement of a function's policy.
func allow(resource string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resource),
	})
}
