package efferent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/ledger"
)

func TestFailuresAreReportedOneByOne(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::EventSourceMapping"), object{
			"FunctionResponseTypes": []string{"ReportBatchItemFailures"}, "BatchSize": 10, "FilterCriteria": assertions.Match_Absent(),
		})
		made.assert.ResourceCountIs(jsii.String("AWS::Lambda::EventSourceMapping"), jsii.Number(4))
	})
	for name, m := range made.of("AWS::Lambda::EventSourceMapping") {
		fifo := text(m["EventSourceArn"]) == "AuditQueue.Arn"
		if window := m["MaximumBatchingWindowInSeconds"]; fifo != (window == nil) || !fifo && window != 0.0 {
			t.Errorf("%s waits for %v", name, window)
		}
	}
}

// Throttled invocations use up receives: what is too much must wait instead.
func TestConcurrencyIsBoundedAtTheQueue(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for name, m := range made.of("AWS::Lambda::EventSourceMapping") {
		want := 50.0
		if text(m["EventSourceArn"]) == "AuditQueue.Arn" {
			want = ledger.DefaultLanes // a lane has one batch in flight
		}
		if got := m["ScalingConfig"].(object)["MaximumConcurrency"]; got != want {
			t.Errorf("%s: %v at a time, want %v", name, got, want)
		}
	}
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::Function"),
			object{"ReservedConcurrentExecutions": assertions.Match_Absent()})
	})
}

func TestVisibilityIsSixTimesTheTimeout(t *testing.T) {
	t.Parallel()
	for name, props := range map[string]efferent.Props{
		"default": {},
		"least": {
			Queues:  efferent.QueueProps{VisibilityTimeout: 2 * time.Minute},
			Deliver: efferent.DeliverProps{FunctionProps: efferent.FunctionProps{Timeout: 20 * time.Second}},
			Notify:  efferent.NotifyProps{FunctionProps: efferent.FunctionProps{Timeout: 20 * time.Second}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, props)
			for _, m := range made.of("AWS::Lambda::EventSourceMapping") {
				queue := made.of("AWS::SQS::Queue")[strings.TrimSuffix(text(m["EventSourceArn"]), ".Arn")]
				function := made.of("AWS::Lambda::Function")[text(m["FunctionName"])]
				if queue["VisibilityTimeout"].(float64) < 6*function["Timeout"].(float64) {
					t.Errorf("visibility timeout %v, function timeout %v", queue["VisibilityTimeout"], function["Timeout"])
				}
			}
		})
	}
}
