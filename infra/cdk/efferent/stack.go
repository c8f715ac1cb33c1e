package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// output is one of a stack's.
type output struct {
	name  string
	value *string
}

// NewStack makes Efferent as a stack of its own, with what one needs to use it
// among its outputs. The stack is for whatever account and region it is
// deployed to. Errors are New's.
func NewStack(app constructs.Construct, name string, props Props) (*Efferent, error) {
	stack := awscdk.NewStack(app, jsii.String(name), &awscdk.StackProps{
		Description: jsii.String("Efferent: signed webhooks and notifications from this account"),
	})
	e, err := New(stack, "Efferent", props)
	if err != nil {
		return nil, err
	}
	for _, output := range e.outputs() {
		awscdk.NewCfnOutput(stack, jsii.String(output.name), &awscdk.CfnOutputProps{Value: output.value})
	}
	return e, nil
}

// outputs are what one needs to use what was made; nothing of what was left out.
func (e *Efferent) outputs() []output {
	all := []output{
		{"WebhooksQueueUrl", e.Webhooks.QueueUrl()},
		{"WebhookFailuresQueueUrl", e.WebhookFailures.QueueUrl()},
		{"EventsQueueUrl", e.Events.QueueUrl()},
		{"EventFailuresQueueUrl", e.EventFailures.QueueUrl()},
		{"AuditQueueUrl", e.Audit.QueueUrl()},
		{"AuditFailuresQueueUrl", e.AuditFailures.QueueUrl()},
		{"AttemptsTable", e.Attempts.TableName()},
		{"WaitingTable", e.Waiting.TableName()},
		{"CircuitsTable", e.Circuits.TableName()},
		{"PaceTable", e.Pace.TableName()},
		{"EndpointsTable", e.Endpoints.TableName()},
		{"EventsTable", e.Published.TableName()},
		{"LedgerOrigin", &e.LedgerOrigin},
		{"LedgerTable", e.Ledger.TableName()},
		{"LedgerBucket", e.LedgerObjects.BucketName()},
		{"CheckpointsBucket", e.Checkpoints.BucketName()},
		{"Dashboard", e.Dashboard.DashboardName()},
	}
	if e.Notifications != nil {
		all = append(all, output{"NotificationsQueueUrl", e.Notifications.QueueUrl()},
			output{"NotificationFailuresQueueUrl", e.NotificationFailures.QueueUrl()}, output{"DirectoryTable", e.Directory.TableName()})
	}
	if e.API != nil {
		all = append(all, output{"ApiUrl", e.API.ApiEndpoint()}, output{"ApiLogGroup", e.APILogs.LogGroupName()})
	}
	if e.LedgerKey != nil {
		all = append(all, output{"LedgerKey", e.LedgerKey.KeyArn()})
	}
	for _, f := range []struct {
		name string
		of   awslambda.IFunction
		logs awslogs.ILogGroup
	}{
		{"Deliver", e.Deliver, e.DeliverLogs}, {"Notify", e.Notify, e.NotifyLogs}, {"Release", e.Release, e.ReleaseLogs},
		{"Replay", e.Replay, e.ReplayLogs}, {"Audit", e.AppendLedger, e.AppendLedgerLogs},
		{"Checkpoint", e.SignLedger, e.SignLedgerLogs}, {"Rotate", e.Rotate, e.RotateLogs},
		{"Fanout", e.Fanout, e.FanoutLogs}, {"Endpoints", e.Register, e.RegisterLogs}, {"Directory", e.Know, e.KnowLogs},
	} {
		if f.of != nil {
			all = append(all, output{f.name + "Function", f.of.FunctionName()}, output{f.name + "LogGroup", f.logs.LogGroupName()})
		}
	}
	if e.version != "" {
		all = append(all, output{"Version", &e.version})
	}
	return all
}
