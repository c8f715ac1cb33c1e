package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
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
	outputs := []output{
		{"WebhooksQueueUrl", e.Webhooks.QueueUrl()},
		{"WebhookFailuresQueueUrl", e.WebhookFailures.QueueUrl()},
		{"NotificationsQueueUrl", e.Notifications.QueueUrl()},
		{"NotificationFailuresQueueUrl", e.NotificationFailures.QueueUrl()},
		{"AuditQueueUrl", e.Audit.QueueUrl()},
		{"AuditFailuresQueueUrl", e.AuditFailures.QueueUrl()},
		{"AttemptsTable", e.Attempts.TableName()},
		{"WaitingTable", e.Waiting.TableName()},
		{"CircuitsTable", e.Circuits.TableName()},
		{"DeliverFunction", e.Deliver.FunctionName()},
		{"DeliverLogGroup", e.DeliverLogs.LogGroupName()},
		{"NotifyFunction", e.Notify.FunctionName()},
		{"NotifyLogGroup", e.NotifyLogs.LogGroupName()},
		{"ReleaseFunction", e.Release.FunctionName()},
		{"ReleaseLogGroup", e.ReleaseLogs.LogGroupName()},
		{"ApiUrl", e.API.ApiEndpoint()},
		{"ApiLogGroup", e.APILogs.LogGroupName()},
		{"ReplayFunction", e.Replay.FunctionName()},
		{"ReplayLogGroup", e.ReplayLogs.LogGroupName()},
		{"LedgerOrigin", &e.LedgerOrigin},
		{"LedgerTable", e.Ledger.TableName()},
		{"LedgerBucket", e.LedgerObjects.BucketName()},
		{"CheckpointsBucket", e.Checkpoints.BucketName()},
		{"AuditFunction", e.AppendLedger.FunctionName()},
		{"AuditLogGroup", e.AppendLedgerLogs.LogGroupName()},
		{"CheckpointFunction", e.SignLedger.FunctionName()},
		{"CheckpointLogGroup", e.SignLedgerLogs.LogGroupName()},
		{"Dashboard", e.Dashboard.DashboardName()},
	}
	if e.version != "" {
		outputs = append(outputs, output{"Version", &e.version})
	}
	if e.LedgerKey != nil {
		outputs = append(outputs, output{"LedgerKey", e.LedgerKey.KeyArn()})
	}
	if e.Rotate != nil {
		outputs = append(outputs, output{"RotateFunction", e.Rotate.FunctionName()}, output{"RotateLogGroup", e.RotateLogs.LogGroupName()})
	}
	for _, output := range outputs {
		awscdk.NewCfnOutput(stack, jsii.String(output.name), &awscdk.CfnOutputProps{Value: output.value})
	}
	return e, nil
}
