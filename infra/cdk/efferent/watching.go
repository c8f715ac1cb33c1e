package efferent

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/metric"
)

// severity is when somebody has to look.
type severity string

const (
	// page is at once: deliveries stop, or soon will.
	page severity = "page"
	// ticket is in the morning: no delivery waits for it, and nothing is lost by then.
	ticket severity = "ticket"
)

// begins is how the description of an alarm of this severity begins.
func (s severity) begins() string { return "Efferent, " + string(s) + ": " }

// severityOf is that of an alarm with this description.
func severityOf(description string) severity {
	if strings.HasPrefix(description, ticket.begins()) {
		return ticket
	}
	return page
}

// again is in how many of three periods something must be wrong that is tried again by
// itself, until it is an alarm.
const again = 2

// watching makes alarms. Only plain metrics are used: AWS-compatible endpoints without
// metric math take them too, and AWS bills each metric of an expression as an alarm.
type watching struct {
	scope   constructs.Construct
	actions map[severity][]awscloudwatch.IAlarmAction
	alarms  []awscloudwatch.Alarm
}

func newWatching(scope constructs.Construct, p AlarmProps) *watching {
	w := &watching{scope: scope, actions: map[severity][]awscloudwatch.IAlarmAction{}}
	tell := func(id, arn string, all ...severity) {
		if arn == "" {
			return
		}
		action := awscloudwatchactions.NewSnsAction(awssns.Topic_FromTopicArn(scope, jsii.String(id), jsii.String(arn)))
		for _, s := range all {
			w.actions[s] = []awscloudwatch.IAlarmAction{action}
		}
	}
	tell("AlarmTopic", p.Topic, page, ticket)
	tell("TicketTopic", p.TicketTopic, ticket)
	return w
}

// above goes off when the metric is above a limit.
func (w *watching) above(name string, s severity, description string, of awscloudwatch.Metric, limit float64) {
	w.alarm(name, s, description, over(of, limit))
}

// repeated goes off when the metric is above 0 in so many of the last three periods,
// or in the last one where that is once.
func (w *watching) repeated(name string, s severity, description string, of awscloudwatch.Metric, times int) {
	p := over(of, 0)
	if times > 1 {
		p.EvaluationPeriods, p.DatapointsToAlarm = jsii.Number(3), jsii.Number(times)
	}
	w.alarm(name, s, description, p)
}

// alarm makes one. Its name is a heading in docs/operate.md.
func (w *watching) alarm(name string, s severity, description string, of *awscloudwatch.AlarmProps) {
	of.AlarmDescription = jsii.String(fmt.Sprintf("%s%s What to do: docs/operate.md, %s.", s.begins(), description, name))
	alarm := awscloudwatch.NewAlarm(w.scope, jsii.String(name+"Alarm"), of)
	alarm.AddAlarmAction(w.actions[s]...)
	alarm.AddOkAction(w.actions[s]...)
	w.alarms = append(w.alarms, alarm)
}

// over is that the last period's value is above a limit. SQS and Lambda are silent of
// what is idle, and so are our own metrics of what does not happen.
func over(of awscloudwatch.Metric, limit float64) *awscloudwatch.AlarmProps {
	return &awscloudwatch.AlarmProps{
		Metric:             of,
		Threshold:          jsii.Number(limit),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	}
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

// ours is a metric that a function writes by itself, as log lines in the embedded
// metric format: of the function as a whole, or for the values of a dimension, which
// follow its name.
func ours(f awslambda.IFunction, name string, by *awscloudwatch.MetricOptions, more ...string) awscloudwatch.Metric {
	dimensions := map[string]*string{metric.Function: f.FunctionName()}
	for i := 0; i+1 < len(more); i += 2 {
		dimensions[more[i]] = &more[i+1]
	}
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(metric.Namespace), MetricName: jsii.String(name), DimensionsMap: &dimensions,
		Statistic: by.Statistic, Period: by.Period,
	})
}

// total is the sum of five minutes.
func total() *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: seconds(5 * time.Minute)}
}

// worst is the highest value of each minute, the pace at which SQS reports.
func worst() *awscloudwatch.MetricOptions { return worstOf(time.Minute) }

func worstOf(period time.Duration) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: jsii.String("Maximum"), Period: seconds(period)}
}
