package efferent

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/metric"
)

// newDashboard shows the alarms; then what leaves, what fails and what waits; then
// the queues, the waiting room, the ledger and the API, and each function.
// docs/operate.md tells what each graph means.
func newDashboard(e *Efferent, props Props, alarms []awscloudwatch.Alarm) awscloudwatch.Dashboard {
	refs := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, a := range alarms {
		refs[i] = a
	}
	d := awscloudwatch.NewDashboard(e.Construct, jsii.String("Dashboard"), nil)
	d.AddWidgets(awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms (what to do: docs/operate.md)"), Width: jsii.Number(24), Height: jsii.Number(4), Alarms: &refs,
	}))
	senders := e.senders()
	for _, s := range senders {
		d.AddWidgets(s.outcome()...)
		d.AddWidgets(s.waits()...)
	}
	if e.Notify != nil {
		d.AddWidgets(e.tenantsRow(len(props.Notify.MetricTenants) > 0)...)
	}
	for _, s := range senders {
		d.AddWidgets(s.queue()...)
	}
	d.AddWidgets(e.roomRow()...)
	d.AddWidgets(e.ledgerRow()...)
	if e.API != nil {
		d.AddWidgets(e.apiRow()...)
	}
	for _, row := range []struct {
		name string
		of   awslambda.IFunction
	}{
		{"deliver", e.Deliver}, {"notify", e.Notify}, {"release", e.Release}, {"replay", e.Replay}, {"audit", e.AppendLedger},
		{"checkpoint", e.SignLedger}, {"rotate", e.Rotate}, {"fanout", e.Fanout}, {"endpoints", e.Register},
		{"directory", e.Know},
	} {
		if row.of != nil {
			d.AddWidgets(functionRow(row.name, row.of)...)
		}
	}
	return d
}

// outcome is what came of what was sent.
func (s sender) outcome() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph(s.title+"s: attempts a minute, by verdict", found(s.f, metric.Attempts, "Sum", metric.Verdict)),
		graph(s.title+"s: failures a minute, by kind", found(s.f, metric.Failures, "Sum", metric.Reason)),
		graph(s.title+"s: an exchange takes, in ms", percentiles(s.f, metric.ExchangeLatency)...),
	}
}

// waits is what is not delivered yet, or never will be.
func (s sender) waits() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph(s.title+"s: oldest that is tried, and time to delivery, in s", append(percentiles(s.f, metric.TimeToDelivery),
			label(ours(s.f, metric.OldestUndelivered, worst()), "oldest"))...),
		graph(s.title+"s: held a minute, by reason", found(s.f, metric.Held, "Sum", metric.Reason)),
		graph(s.title+"s: dead letters, new in 5 minutes, and parked", label(ours(s.f, metric.DeadLetters, total()), "new"),
			label(s.failures.MetricApproximateNumberOfMessagesVisible(worst()), "parked")),
	}
}

// tenantsRow is whose notifications went by which channel: by their lines in the log,
// which costs nothing until somebody looks; and by metrics, where those were asked for.
func (e *Efferent) tenantsRow(apart bool) []awscloudwatch.IWidget {
	width := 24
	if apart {
		width = 16
	}
	row := []awscloudwatch.IWidget{awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String("Notifications by tenant, channel and outcome, by the log: messages"), Width: jsii.Number(width),
		LogGroupNames: jsii.Strings(*e.NotifyLogs.LogGroupName()), View: awscloudwatch.LogQueryVisualizationType_TABLE,
		QueryLines: jsii.Strings(`filter msg in ["sent", "not sent"]`,
			`stats count(*) as messages, pct(took_s, 99) as took_s_p99 by tenant, channel, msg`, "sort messages desc", "limit 100"),
	})}
	if apart {
		row = append(row, graph("Notifications: a minute, by tenant, channel and outcome",
			found(e.Notify, metric.Notifications, "Sum", metric.Tenant, metric.Channel, metric.Outcome)))
	}
	return row
}

// queue is what SQS says.
func (s sender) queue() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph(s.title+" queue: messages", label(s.main.MetricApproximateNumberOfMessagesVisible(worst()), "waiting"),
			label(s.main.MetricApproximateNumberOfMessagesNotVisible(worst()), "in flight")),
		graph(s.title+" queue: age of the oldest of few receives, in s", label(s.main.MetricApproximateAgeOfOldestMessage(worst()), "oldest")),
		graph(s.title+" dead letters: age of the oldest, in days", awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String("age / 86400"), Label: jsii.String("oldest"), Period: seconds(time.Minute),
			UsingMetrics: &map[string]awscloudwatch.IMetric{"age": s.failures.MetricApproximateAgeOfOldestMessage(worst())},
		})),
	}
}

// roomRow is the waiting room, and the circuits that much of it waits for.
func (e *Efferent) roomRow() []awscloudwatch.IWidget {
	var moved []awscloudwatch.IMetric
	for _, s := range e.senders() {
		moved = append(moved, label(ours(s.f, metric.RoomEntered, total()), s.of+" in"))
	}
	opened := []awscloudwatch.IMetric{circuits(e.Deliver, circuit.Open, ""), circuits(e.Deliver, circuit.Closed, "")}
	if e.API != nil {
		opened = append(opened, circuits(e.Replay, circuit.Open, " by hand"), circuits(e.Replay, circuit.Closed, " by hand"))
	}
	return []awscloudwatch.IWidget{
		graph("Waiting room: messages in 5 minutes", append(moved, label(ours(e.Release, metric.RoomLeft, total()), "out"))...),
		graph("Waiting room: how late it is, in s", label(ours(e.Release, metric.OldestOverdue, worst()), "late")),
		graph("Circuits that opened and closed in 5 minutes", opened...),
		graph("Registered endpoints that fail: warned of and disabled, a minute, by kind",
			found(e.Deliver, metric.EndpointsFailing, "Sum", metric.Action)),
		graph("Outcomes that nobody was told of, a minute, by kind", found(e.Deliver, metric.OutcomesUntold, "Sum", metric.Action)),
	}
}

func (e *Efferent) ledgerRow() []awscloudwatch.IWidget {
	var missing []awscloudwatch.IMetric
	for _, s := range e.senders() {
		missing = append(missing, label(ours(s.f, metric.OutcomesMissing, total()), "outcomes of "+s.of+" missing"))
	}
	return []awscloudwatch.IWidget{
		graph("Ledger: entries appended in 5 minutes", label(ours(e.AppendLedger, metric.LedgerEntries, total()), "entries")),
		graph("Ledger: age of the oldest that waits, in s", label(e.Audit.MetricApproximateAgeOfOldestMessage(worst()), "oldest")),
		graph("Ledger: what is not in it", append(missing,
			label(e.AuditFailures.MetricApproximateNumberOfMessagesVisible(worst()), "messages parked"))...),
	}
}

func (e *Efferent) apiRow() []awscloudwatch.IWidget {
	p99 := &awscloudwatch.MetricOptions{Statistic: jsii.String("p99"), Period: seconds(5 * time.Minute)}
	return []awscloudwatch.IWidget{
		graph("API: requests in 5 minutes", label(e.apiMetric("Count", total()), "all"), label(e.apiMetric("4xx", total()), "4xx"),
			label(e.apiMetric("5xx", total()), "5xx")),
		graph("API: an answer takes, in ms", label(e.apiMetric("Latency", p99), "p99")),
	}
}

func functionRow(name string, f awslambda.IFunction) []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph(name+": invocations in 5 minutes", label(f.MetricInvocations(total()), "invocations"), label(f.MetricErrors(total()), "errors"),
			label(f.MetricThrottles(total()), "throttles")),
		graph(name+": invocations at a time", label(f.Metric(jsii.String("ConcurrentExecutions"), worst()), "at a time")),
		graph(name+": an invocation takes, in ms", label(f.MetricDuration(worst()), "longest")),
	}
}

// circuits is how many circuits a function brought into a phase, and how.
func circuits(f awslambda.IFunction, phase circuit.Phase, how string) awscloudwatch.IMetric {
	return label(ours(f, metric.CircuitChanges, total(), metric.Phase, string(phase)), string(phase)+how)
}

// percentiles are a measure's median, and what a hundredth exceeds.
func percentiles(f awslambda.IFunction, name string) (all []awscloudwatch.IMetric) {
	for _, p := range []string{"p50", "p99"} {
		all = append(all, label(ours(f, name, &awscloudwatch.MetricOptions{Statistic: jsii.String(p), Period: seconds(time.Minute)}), p))
	}
	return all
}

// found are those of a function's metric that there are, one for each value of its
// dimensions, each minute ("Search expression syntax").
func found(f awslambda.IFunction, name, statistic string, by ...string) awscloudwatch.IMetric {
	var label []string
	for _, dimension := range by {
		label = append(label, "${PROP('Dim."+dimension+"')}")
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName="%s" %s="%s"', '%s', 60)`,
			metric.Namespace, metric.Function, strings.Join(by, ","), name, metric.Function, *f.FunctionName(), statistic)),
		Label: jsii.String(strings.Join(label, " ")), Period: seconds(time.Minute), UsingMetrics: &map[string]awscloudwatch.IMetric{},
	})
}

// label names a line in a graph: what CloudWatch would call it is the function's or
// the queue's generated name.
func label(m awscloudwatch.Metric, as string) awscloudwatch.IMetric {
	return m.With(&awscloudwatch.MetricOptions{Label: &as})
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Width: jsii.Number(8), Left: &metrics,
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), ShowUnits: jsii.Bool(false)},
	})
}
