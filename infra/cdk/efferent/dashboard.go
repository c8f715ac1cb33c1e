package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/settings"
)

// newDashboard shows the alarms, then a row for each queue and one for each
// function.
func newDashboard(e *Efferent, pairs []pair, alarms []awscloudwatch.Alarm) awscloudwatch.Dashboard {
	refs := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, a := range alarms {
		refs[i] = a
	}
	d := awscloudwatch.NewDashboard(e.Construct, jsii.String("Dashboard"), nil)
	d.AddWidgets(awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms"), Width: jsii.Number(24), Height: jsii.Number(3), Alarms: &refs,
	}))
	for _, q := range pairs {
		d.AddWidgets(
			graph(q.title+": waiting and in flight",
				q.main.MetricApproximateNumberOfMessagesVisible(worst()), q.main.MetricApproximateNumberOfMessagesNotVisible(worst())),
			graph(q.title+": age of the oldest, in seconds", q.main.MetricApproximateAgeOfOldestMessage(worst())),
			graph(q.title+": parked", q.failures.MetricApproximateNumberOfMessagesVisible(worst())),
		)
	}
	var oldest []awscloudwatch.IMetric
	changed := []awscloudwatch.IMetric{circuits(e.Deliver, circuit.Open, ""), circuits(e.Deliver, circuit.Closed, "")}
	for _, f := range []awslambda.IFunction{e.Deliver, e.Notify, e.Release} {
		if f != nil {
			oldest = append(oldest, ours(f, settings.OldestUndelivered, worst()))
		}
	}
	if e.Replay != nil {
		changed = append(changed, circuits(e.Replay, circuit.Open, " by hand"), circuits(e.Replay, circuit.Closed, " by hand"))
	}
	d.AddWidgets(graph("Webhooks and notifications: age of the oldest that is not delivered, in seconds", oldest...),
		graph("Webhooks: circuits that opened and closed", changed...))
	for _, row := range []struct {
		name string
		of   awslambda.IFunction
	}{
		{"deliver", e.Deliver}, {"notify", e.Notify}, {"release", e.Release}, {"replay", e.Replay}, {"audit", e.AppendLedger},
		{"checkpoint", e.SignLedger}, {"rotate", e.Rotate},
	} {
		if row.of != nil {
			d.AddWidgets(functionRow(row.name, row.of)...)
		}
	}
	return d
}

func functionRow(name string, f awslambda.IFunction) []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph(name+": invocations", f.MetricInvocations(nil)),
		graph(name+": errors and throttles", f.MetricErrors(nil), f.MetricThrottles(nil)),
		graph(name+": duration, in milliseconds", f.MetricDuration(worst())),
	}
}

// circuits is how many circuits a function brought into a phase, and how.
func circuits(f awslambda.IFunction, phase circuit.Phase, how string) awscloudwatch.Metric {
	return ours(f, settings.CircuitChanges, total()).With(&awscloudwatch.MetricOptions{
		DimensionsMap: &map[string]*string{"function": f.FunctionName(), "phase": jsii.String(string(phase))},
		Label:         jsii.String(string(phase) + how),
	})
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Width: jsii.Number(8), Left: &metrics,
	})
}
