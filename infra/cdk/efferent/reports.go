package efferent

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/settings"
)

// ReportProps is by whom it is reported what became of notifications, and what may be
// chosen of the functions that take it in. Default: by nobody, and nothing is made.
type ReportProps struct {
	// FunctionProps are those of any function; both have them.
	FunctionProps
	SourceProps
	// Twilio makes a route of the API that everybody can reach, and the function that
	// believes who is Twilio by the signature. Default: there is none.
	Twilio bool
	// Rate is the most requests a second on that route, and Burst how many may come at
	// once. More are answered 429. Default: 50 and 100.
	Rate, Burst int
	// ConfigurationSet is the name of one of SES's that is to be made, whose events come
	// here: 1 to 64 of A-Z, a-z, 0-9, _ and -. Default: none.
	ConfigurationSet string
}

func (p ReportProps) withDefaults() ReportProps {
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.SourceProps = p.SourceProps.withDefaults()
	p.Rate, p.Burst = or(p.Rate, 50), or(p.Burst, 100)
	return p
}

// reported tells whether anybody reports, of notifications that there are.
func (p Props) reported() bool {
	return !p.WithoutNotifications && (p.Reports.Twilio || p.Reports.ConfigurationSet != "")
}

// configurationSets are the names that SES takes ("CreateConfigurationSet").
var configurationSets = regexp.MustCompile(`^[A-Za-z0-9_-]{0,64}$`)

func (p ReportProps) check(withoutAPI bool) (err error) {
	if p.Twilio && withoutAPI {
		err = errors.New("prop Twilio: there must be the API, which has the route: leave out WithoutAPI")
	}
	if p.Rate < 1 || p.Burst < 1 {
		err = errors.Join(err, fmt.Errorf("props Rate %d and Burst %d: must be at least 1", p.Rate, p.Burst))
	}
	if !configurationSets.MatchString(p.ConfigurationSet) {
		err = errors.Join(err, fmt.Errorf("prop ConfigurationSet %q: must be 1 to 64 of A-Z, a-z, 0-9, _ and -", p.ConfigurationSet))
	}
	return err
}

// makeReports makes the function that takes reports in, and the ways by which they come.
func (e *Efferent) makeReports(props Props) (err error) {
	if !props.reported() {
		return nil
	}
	p := props.Reports
	env := props.Sending.environment(props.Queues)
	env[settings.ReportsQueueURL] = *e.Reports.QueueUrl()
	env[settings.NotificationsQueueURL] = *e.Notifications.QueueUrl()
	env[settings.AuditQueueURL] = *e.Audit.QueueUrl()
	env[settings.AttemptsTable] = *e.Attempts.TableName()
	env[settings.DirectoryTable] = *e.Directory.TableName()
	e.redacts(env, props.Ledger)
	_, err = settings.ReadReports(func(name string) string { return env[name] })
	if err = errors.Join(err, p.check(props.WithoutAPI),
		checkSource(props.Queues.VisibilityTimeout, p.FunctionProps, p.SourceProps)); err != nil {
		return err
	}
	e.Report, e.ReportLogs, err = e.newFunction(plan{
		id: "Report", name: "report", description: "Efferent: takes in what providers report of notifications",
		env: env, grants: append(e.reportGrants(), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	feed(e.Construct, "ReportFeed", e.Reports, e.Report, p.SourceProps)
	if p.ConfigurationSet != "" {
		e.hearsSES(p.ConfigurationSet)
	}
	return e.makeCallback(props)
}

// reportGrants is written out, as deliverGrants is.
func (e *Efferent) reportGrants() []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow(*e.Reports.QueueArn(), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
		allow(*e.Notifications.QueueArn(), "sqs:SendMessage"), // to the next channel
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Attempts.TableArn(), "dynamodb:Query", "dynamodb:PutItem"),
		allow(*e.Directory.TableArn(), "dynamodb:PutItem"),
		e.readsLedgerKeys(),
	}
}

// makeCallback makes the function that Twilio calls, and the one route that is open to
// everybody, with a limit of its own.
func (e *Efferent) makeCallback(props Props) (err error) {
	p := props.Reports
	if !p.Twilio {
		return nil
	}
	env := map[string]string{settings.ReportsQueueURL: *e.Reports.QueueUrl()}
	if props.Notify.Secrets != channel.DefaultSecrets {
		env[settings.ChannelSecrets] = props.Notify.Secrets
	}
	if props.Sending.SecretTTL != 0 {
		env[settings.SecretTTL] = props.Sending.SecretTTL.String()
	}
	if _, err := settings.ReadCallbacks(func(name string) string { return env[name] }); err != nil {
		return err
	}
	p.Timeout = min(p.Timeout, mostCallback)
	e.Callback, e.CallbackLogs, err = e.newFunction(plan{
		id: "Callback", name: "callback", description: "Efferent: takes in what Twilio reports of SMS",
		env: env, grants: []awsiam.PolicyStatement{
			allow(*e.Reports.QueueArn(), "sqs:SendMessage"),
			allow(e.secret(channel.SecretUnder(props.Notify.Secrets, channel.SMS)), "secretsmanager:GetSecretValue"),
		},
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	e.callbackRoute(p)
	return nil
}

// mostCallback is how long Twilio waits ("Webhook connection overrides").
const mostCallback = 15 * time.Second

// callbackPath is internal/handlers/callback's.
const callbackPath = "/callbacks/twilio/{token}"

func (e *Efferent) callbackRoute(p ReportProps) {
	routes := *e.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
		Path: jsii.String(callbackPath), Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_POST},
		Integration: awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("ApiCallback"), e.Callback, nil),
		Authorizer:  awsapigatewayv2.NewHttpNoneAuthorizer(),
	})
	e.stage.SetRouteSettings(map[string]any{
		"POST " + callbackPath: map[string]any{"ThrottlingRateLimit": p.Rate, "ThrottlingBurstLimit": p.Burst},
	})
	// A stage can't limit a route that is not there yet.
	e.stage.AddDependency(routes[0].Node().DefaultChild().(awscdk.CfnResource))
}

// hearsSES makes a configuration set whose events go by a topic to the queue, as they
// are. The CDK lets SES publish, for this set, and the topic send to the queue ("Set up
// an Amazon SNS event destination for Amazon SES event publishing"); nobody else may.
func (e *Efferent) hearsSES(name string) {
	set := awsses.NewConfigurationSet(e.Construct, jsii.String("ConfigurationSet"),
		&awsses.ConfigurationSetProps{ConfigurationSetName: &name})
	topic := awssns.NewTopic(e.Construct, jsii.String("SesEvents"), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	topic.AddSubscription(awssnssubscriptions.NewSqsSubscription(e.Reports,
		&awssnssubscriptions.SqsSubscriptionProps{RawMessageDelivery: jsii.Bool(true)}))
	to := awsses.NewConfigurationSetEventDestination(e.Construct, jsii.String("SesEventsGo"), &awsses.ConfigurationSetEventDestinationProps{
		ConfigurationSet: set, Destination: awsses.EventDestination_SnsTopic(topic),
		Events: &[]awsses.EmailSendingEvent{awsses.EmailSendingEvent_DELIVERY, awsses.EmailSendingEvent_BOUNCE,
			awsses.EmailSendingEvent_COMPLAINT, awsses.EmailSendingEvent_REJECT, awsses.EmailSendingEvent_RENDERING_FAILURE},
	})
	to.Node().AddDependency(topic.Node().FindChild(jsii.String("Policy"))) // SES tries to publish, so its permission comes first
}
