package efferent

import (
	"errors"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// NotifyProps is what may be chosen of the function that sends notifications.
type NotifyProps struct {
	FunctionProps
	SourceProps
	// Secrets is what the names of the secrets begin with that configure the
	// channels: "efferent/prod/" makes "efferent/prod/smtp". Default: "efferent/".
	// Two stacks of an account share what begins alike.
	Secrets string
	// Attachments are the buckets, or a bucket, a slash and what keys begin with, that
	// it may read the attachments of emails from: "acme-files/invoices/". Default: none.
	Attachments []string
	// MetricTenants are the tenants whose notifications are counted apart, each by up to 18
	// custom metrics of CloudWatch: names, or "*" for all. Default: none.
	MetricTenants []string
	// SES lets it send email by Amazon SES, where the secret efferent/smtp
	// says so. Default: it may not.
	SES bool
	// EndUserMessaging lets it send SMS by AWS End User Messaging, where the
	// secret efferent/twilio says so. Default: it may not.
	EndUserMessaging bool
}

func (p NotifyProps) withDefaults() NotifyProps {
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.SourceProps = p.SourceProps.withDefaults()
	p.Secrets = or(p.Secrets, channel.DefaultSecrets)
	return p
}

func (e *Efferent) makeNotify(props Props) (err error) {
	if props.WithoutNotifications {
		return nil
	}
	p := props.Notify
	if err := checkSending(p.Timeout, webhook.DefaultTimeout); err != nil {
		return err
	}
	env := props.Sending.environment(props.Queues)
	if p.Secrets != channel.DefaultSecrets {
		env[settings.ChannelSecrets] = p.Secrets
	}
	given(env, settings.Attachments, strings.Join(p.Attachments, ","))
	given(env, settings.MetricTenants, strings.Join(p.MetricTenants, ","))
	props.Deliver.network(env)
	_, err = settings.ReadNotifications(func(name string) string { return env[name] })
	if err = errors.Join(err, checkSource(props.Queues.VisibilityTimeout, p.FunctionProps, p.SourceProps)); err != nil {
		return err
	}
	env[settings.NotificationsQueueURL] = *e.Notifications.QueueUrl()
	env[settings.AuditQueueURL] = *e.Audit.QueueUrl()
	env[settings.AttemptsTable] = *e.Attempts.TableName()
	env[settings.WaitingTable] = *e.Waiting.TableName()
	env[settings.PaceTable] = *e.Pace.TableName()
	env[settings.DirectoryTable] = *e.Directory.TableName()
	e.redacts(env, props.Ledger)

	e.Notify, e.NotifyLogs, err = e.newFunction(plan{
		id: "Notify", name: "notify", description: "Efferent: sends notifications by email, Slack, SMS and more",
		env: env, grants: append(e.notifyGrants(p, props.Deliver.CABundle), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	feed(e.Construct, "NotifySource", e.Notifications, e.Notify, p.SourceProps)
	return nil
}

// notifyGrants is written out, as deliverGrants is. The claims on SMS are in
// the table of attempts.
func (e *Efferent) notifyGrants(p NotifyProps, bundle string) []awsiam.PolicyStatement {
	grants := []awsiam.PolicyStatement{
		allow(*e.Notifications.QueueArn(), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
			"sqs:SendMessage"), // one to several recipients goes on as one to each
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Attempts.TableArn(), "dynamodb:Query", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
		allow(*e.Waiting.TableArn(), "dynamodb:PutItem"),
		allow(*e.Pace.TableArn(), "dynamodb:BatchGetItem", "dynamodb:UpdateItem"),
		allow(*e.Directory.TableArn(), "dynamodb:BatchGetItem"),
		e.readsLedgerKeys(),
	}
	for _, on := range channel.Names {
		grants = append(grants, allow(e.secret(channel.SecretUnder(p.Secrets, on)), "secretsmanager:GetSecretValue"))
	}
	if bundle != "" {
		grants = append(grants, allow(e.secret(bundle), "secretsmanager:GetSecretValue"))
	}
	grants = append(grants, e.attachmentGrants(p.Attachments)...)
	if p.SES {
		grants = append(grants, e.sesGrants()...)
	}
	if p.EndUserMessaging {
		grants = append(grants, e.endUserMessagingGrants()...)
	}
	return grants
}

// attachmentGrants let notify read attachments, and list nothing.
func (e *Efferent) attachmentGrants(places []string) (grants []awsiam.PolicyStatement) {
	places, _ = settings.ParseAttachments(strings.Join(places, ",")) // which has been checked
	for _, place := range places {
		bucket, prefix, _ := strings.Cut(place, "/")
		grants = append(grants, allow(e.bucketARN(bucket)+"/"+prefix+"*", "s3:GetObject"))
	}
	return grants
}

// bucketARN is that of a bucket, which may be another account's.
func (e *Efferent) bucketARN(name string) string {
	return *awscdk.Stack_Of(e.Construct).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("s3"), Region: jsii.String(""), Account: jsii.String(""), Resource: &name,
		ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
	})
}

// sesGrants let notify send by SES. An identity may have a configuration set by
// default.
func (e *Efferent) sesGrants() (grants []awsiam.PolicyStatement) {
	for _, of := range []string{"identity", "configuration-set"} {
		grants = append(grants, allow(e.arn("ses", of, awscdk.ArnFormat_SLASH_RESOURCE_NAME, "*"), "ses:SendEmail"))
	}
	return grants
}

func (e *Efferent) endUserMessagingGrants() (grants []awsiam.PolicyStatement) {
	for _, from := range []string{"phone-number", "sender-id", "pool"} {
		grants = append(grants, allow(e.arn("sms-voice", from, awscdk.ArnFormat_SLASH_RESOURCE_NAME, "*"), "sms-voice:SendTextMessage"))
	}
	return grants
}

// arn is that of a resource in the stack's own account and region.
func (e *Efferent) arn(service, resource string, format awscdk.ArnFormat, name string) string {
	return *awscdk.Stack_Of(e.Construct).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String(service), Resource: jsii.String(resource), ArnFormat: format, ResourceName: jsii.String(name),
	})
}
