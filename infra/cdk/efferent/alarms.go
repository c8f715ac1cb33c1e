package efferent

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
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

// watching makes alarms, each of which tells the same topic. Only plain metrics
// are used, so that AWS-compatible endpoints without metric math take them too.
type watching struct {
	scope   constructs.Construct
	actions []awscloudwatch.IAlarmAction
	alarms  []awscloudwatch.Alarm
}

// newAlarms watches every queue, the API, the channels, and what runs by the
// clock.
func newAlarms(e *Efferent, pairs []pair, p AlarmProps, signedEvery time.Duration) []awscloudwatch.Alarm {
	w := &watching{scope: e.Construct}
	if p.Topic != "" {
		w.actions = append(w.actions, awscloudwatchactions.NewSnsAction(
			awssns.Topic_FromTopicArn(w.scope, jsii.String("AlarmTopic"), jsii.String(p.Topic))))
	}
	for _, q := range pairs {
		oldest := p.MaxAge
		if q.main == e.Audit {
			oldest = p.MaxAuditAge
		}
		w.queue(q, oldest, p.MaxInFlight)
	}
	if e.Replay != nil {
		w.above("ReplayErrorsAlarm", "the API's function failed. Its log group says why.", e.Replay.MetricErrors(total()), 0)
	}
	if e.Notify != nil {
		w.above("MisconfiguredAlarm", "a channel refuses us: its secret, or the sender's account at the provider, must be mended. The log of "+
			"notify names the channel.",
			ours(e.Notify, settings.Misconfigured, total()), 0)
		w.above("NotificationOutcomesAlarm", missingOutcomes, ours(e.Notify, settings.OutcomesMissing, total()), 0)
	}
	w.above("WebhookOutcomesAlarm", missingOutcomes, ours(e.Deliver, settings.OutcomesMissing, total()), 0)
	w.above("ReleaseErrorsAlarm", "messages that were due in the waiting room could not be sent back to their queue. The log of release "+
		"says why. They stay until they can be.",
		e.Release.MetricErrors(total()), 0)
	w.alarm("NotReleasedAlarm", "nobody has looked for a while at what waits in the waiting room. Is the rule that does so switched off, or "+
		"the function throttled?",
		silent(e.Release, releaseEvery))
	w.above("LedgerErrorsAlarm", "what was appended to the ledger could not be verified or signed. The log of checkpoint says which "+
		"lane, and whether it was changed.",
		e.SignLedger.MetricErrors(total()), 0)
	w.alarm("LedgerUnsignedAlarm", "nobody has tried to sign the ledger for a while. Is the rule that does so switched off, or the function "+
		"throttled?",
		silent(e.SignLedger, signedEvery))
	if e.Rotate != nil {
		w.above("RotateErrorsAlarm", "the keys of a secret were not replaced. The log of rotate says why; Secrets Manager tries again, and then "+
			"at the next date.",
			e.Rotate.MetricErrors(total()), 0)
	}
	return w.alarms
}

// queue watches a queue and its dead-letter queue.
func (w *watching) queue(q pair, maxAge time.Duration, maxInFlight int) {
	w.above(q.title+"FailuresAlarm", "a message could not be handled and is parked. Look at it, mend the cause, and redrive the queue.",
		q.failures.MetricApproximateNumberOfMessagesVisible(worst()), 0)
	w.above(q.title+"AgeAlarm", "messages wait for too long. Is the function throttled, failing, or short of concurrency?",
		q.main.MetricApproximateAgeOfOldestMessage(worst()), maxAge.Seconds())
	w.above(q.title+"InFlightAlarm", "so many messages are in flight that SQS may soon hand out no more. Which endpoint fails?",
		q.main.MetricApproximateNumberOfMessagesNotVisible(worst()), float64(maxInFlight))
}

// above goes off when the metric is above a limit.
func (w *watching) above(id, description string, metric awscloudwatch.Metric, limit float64) {
	w.alarm(id, description, &awscloudwatch.AlarmProps{
		Metric:             metric,
		Threshold:          jsii.Number(limit),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING, // SQS is silent about idle queues
	})
}

func (w *watching) alarm(id, description string, of *awscloudwatch.AlarmProps) {
	of.AlarmDescription = jsii.String("Efferent: " + description)
	alarm := awscloudwatch.NewAlarm(w.scope, jsii.String(id), of)
	alarm.AddAlarmAction(w.actions...)
	alarm.AddOkAction(w.actions...)
	w.alarms = append(w.alarms, alarm)
}

// silent is that a function that runs by the clock was not invoked three times
// over.
func silent(f awslambda.IFunction, every time.Duration) *awscloudwatch.AlarmProps {
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
func ours(f awslambda.IFunction, name string, by *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(telemetry.Namespace), MetricName: jsii.String(name),
		DimensionsMap: &map[string]*string{"function": f.FunctionName()},
		Statistic:     by.Statistic, Period: by.Period,
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
