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
	// MaxInFlight is how many messages of a queue may be received or hidden at
	// a time. SQS stops at 120,000. Default: 80,000.
	MaxInFlight int
}

func (p AlarmProps) withDefaults() AlarmProps {
	p.MaxAge = or(p.MaxAge, 15*time.Minute)
	p.MaxInFlight = or(p.MaxInFlight, 80_000)
	return p
}

// newAlarms watches every queue, the API, and the channels. Only plain metrics are used, so that
// AWS-compatible endpoints without metric math take them too.
func newAlarms(e *Efferent, pairs []pair, p AlarmProps) []awscloudwatch.Alarm {
	scope := e.Construct
	var alarms []awscloudwatch.Alarm
	var actions []awscloudwatch.IAlarmAction
	if p.Topic != "" {
		actions = append(actions, awscloudwatchactions.NewSnsAction(
			awssns.Topic_FromTopicArn(scope, jsii.String("AlarmTopic"), jsii.String(p.Topic))))
	}
	add := func(id, description string, metric awscloudwatch.Metric, above float64) {
		alarm := awscloudwatch.NewAlarm(scope, jsii.String(id), &awscloudwatch.AlarmProps{
			AlarmDescription:   jsii.String("Efferent: " + description),
			Metric:             metric,
			Threshold:          jsii.Number(above),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING, // SQS is silent about idle queues
		})
		alarm.AddAlarmAction(actions...)
		alarm.AddOkAction(actions...)
		alarms = append(alarms, alarm)
	}
	for _, q := range pairs {
		add(q.title+"FailuresAlarm", "a message could not be handled and is parked. Look at it, mend the cause, and redrive the queue.",
			q.failures.MetricApproximateNumberOfMessagesVisible(worst()), 0)
		add(q.title+"AgeAlarm", "messages wait for too long. Is the function throttled, failing, or short of concurrency?",
			q.main.MetricApproximateAgeOfOldestMessage(worst()), p.MaxAge.Seconds())
		add(q.title+"InFlightAlarm", "so many messages are in flight that SQS may soon hand out no more. Which endpoint fails?",
			q.main.MetricApproximateNumberOfMessagesNotVisible(worst()), float64(p.MaxInFlight))
	}
	add("ReplayErrorsAlarm", "the API's function failed. Its log group says why.", e.Replay.MetricErrors(total()), 0)
	add("MisconfiguredAlarm", "a channel refuses us: its secret, or the sender's account at the provider, must be mended. The log of notify "+
		"names the channel.",
		misconfigured(e.Notify), 0)
	return alarms
}

// misconfigured counts notify's failures by configuration (its log lines in
// the embedded metric format).
func misconfigured(notify awslambda.IFunction) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(telemetry.Namespace), MetricName: jsii.String(settings.Misconfigured),
		DimensionsMap: &map[string]*string{"function": notify.FunctionName()},
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
