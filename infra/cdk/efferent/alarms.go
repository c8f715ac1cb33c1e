package efferent

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
)

// AlarmProps is when the alarms go off, and who hears of it.
type AlarmProps struct {
	// Topic is the ARN of an SNS topic that is told when an alarm goes off,
	// and when it is over. Default: nobody is told; the dashboard shows them.
	Topic string
	// MaxAge is how old the oldest message of a queue may get. Default: 15
	// minutes.
	MaxAge time.Duration
	// MaxAuditAge is the same for audit.fifo: how long entries may wait for the
	// ledger. Default: 10 minutes.
	MaxAuditAge time.Duration
	// MaxInFlight is how many messages of a queue may be received or hidden at
	// a time. SQS stops at 120,000. Default: 80,000.
	MaxInFlight int
}

func (p AlarmProps) withDefaults() AlarmProps {
	p.MaxAge = or(p.MaxAge, 15*time.Minute)
	p.MaxAuditAge = or(p.MaxAuditAge, 10*time.Minute)
	p.MaxInFlight = or(p.MaxInFlight, 80_000)
	return p
}

// newAlarms watches every queue, the API, and the channels. Only plain metrics are used, so that
// AWS-compatible endpoints without metric math take them too.
func newAlarms(e *Efferent, pairs []pair, p AlarmProps, every time.Duration) []awscloudwatch.Alarm {
	scope := e.Construct
	var alarms []awscloudwatch.Alarm
	var actions []awscloudwatch.IAlarmAction
	if p.Topic != "" {
		actions = append(actions, awscloudwatchactions.NewSnsAction(
			awssns.Topic_FromTopicArn(scope, jsii.String("AlarmTopic"), jsii.String(p.Topic))))
	}
	watch := func(id, description string, of *awscloudwatch.AlarmProps) {
		of.AlarmDescription = jsii.String("Efferent: " + description)
		alarm := awscloudwatch.NewAlarm(scope, jsii.String(id), of)
		alarm.AddAlarmAction(actions...)
		alarm.AddOkAction(actions...)
		alarms = append(alarms, alarm)
	}
	add := func(id, description string, metric awscloudwatch.Metric, above float64) {
		watch(id, description, &awscloudwatch.AlarmProps{
			Metric:             metric,
			Threshold:          jsii.Number(above),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING, // SQS is silent about idle queues
		})
	}
	for _, q := range pairs {
		oldest := p.MaxAge
		if q.main == e.Audit {
			oldest = p.MaxAuditAge
		}
		add(q.title+"FailuresAlarm", "a message could not be handled and is parked. Look at it, mend the cause, and redrive the queue.",
			q.failures.MetricApproximateNumberOfMessagesVisible(worst()), 0)
		add(q.title+"AgeAlarm", "messages wait for too long. Is the function throttled, failing, or short of concurrency?",
			q.main.MetricApproximateAgeOfOldestMessage(worst()), oldest.Seconds())
		add(q.title+"InFlightAlarm", "so many messages are in flight that SQS may soon hand out no more. Which endpoint fails?",
			q.main.MetricApproximateNumberOfMessagesNotVisible(worst()), float64(p.MaxInFlight))
	}
	add("ReplayErrorsAlarm", "the API's function failed. Its log group says why.", e.Replay.MetricErrors(total()), 0)
	add("MisconfiguredAlarm", "a channel refuses us: its secret, or the sender's account at the provider, must be mended. The log of notify "+
		"names the channel.",
		ours(e.Notify, settings.Misconfigured), 0)
	add("WebhookOutcomesAlarm", missingOutcomes, ours(e.Deliver, settings.OutcomesMissing), 0)
	add("NotificationOutcomesAlarm", missingOutcomes, ours(e.Notify, settings.OutcomesMissing), 0)
	add("LedgerErrorsAlarm", "what was appended to the ledger could not be verified or signed. The log of checkpoint says which lane, and "+
		"whether it was changed.",
		e.SignLedger.MetricErrors(total()), 0)
	watch("LedgerUnsignedAlarm", "nobody has tried to sign the ledger for a while. Is the rule that does so switched off, or the function "+
		"throttled?",
		unsigned(e.SignLedger, every))
	return alarms
}

// unsigned is that a function that runs by the clock was not invoked three
// times over.
func unsigned(f awslambda.IFunction, every time.Duration) *awscloudwatch.AlarmProps {
	return &awscloudwatch.AlarmProps{
		Metric: f.MetricInvocations(&awscloudwatch.MetricOptions{
			Statistic: jsii.String("Sum"), Period: seconds(every)}),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(3),
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING, // Lambda is silent about what does not run
	}
}

const missingOutcomes = "outcomes of attempts could not be written to audit.fifo in time and are missing in the ledger. " +
	"The function's log names them."

// ours is a metric that a function counts by itself (its log lines in the
// embedded metric format).
func ours(f awslambda.IFunction, name string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(telemetry.Namespace), MetricName: jsii.String(name),
		DimensionsMap: &map[string]*string{"function": f.FunctionName()},
		Statistic:     jsii.String("Sum"), Period: seconds(5 * time.Minute),
	})
}

// total is the sum of five minutes.
func total() *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: seconds(5 * time.Minute)}
}

// worst is the highest value of each minute, the pace at which SQS reports.
func worst() *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: jsii.String("Maximum"), Period: seconds(time.Minute)}
}
