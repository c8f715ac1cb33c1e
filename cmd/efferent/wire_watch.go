package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/localaws/origin"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry/otlp"
	"github.com/efferent/efferent/internal/telemetry/prom"
	"github.com/efferent/efferent/internal/trace"
)

// watch is how a process says how it is: what it counts, and spans of what it does.
// The zero watch says nothing.
type watch struct {
	metrics *prom.Metrics
	tracer  trace.Tracer
	// close sends the last spans.
	close func()
}

// newWatch makes one; spans only where the environment asks for them.
func newWatch(ctx context.Context, getenv func(string) string, log *slog.Logger) (w watch, err error) {
	w.metrics = prom.New(time.Now)
	w.tracer, w.close, err = otlp.New(ctx, getenv, log)
	return w, err
}

// of is what a function counts.
func (w watch) of(function string) metric.Recorder {
	if w.metrics == nil {
		return nil
	}
	return w.metrics.Of(function)
}

// beside serves the metrics beside an API, to whoever may use that.
func (w watch) beside(api http.Handler) http.Handler {
	metrics := origin.Only(w.metrics.Handler())
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			metrics.ServeHTTP(to, r)
			return
		}
		api.ServeHTTP(to, r)
	})
}

// attributesAPI is what SQS says of queues.
type attributesAPI interface {
	GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, o ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// The states of messages in a queue, as the metric has them.
var depths = map[string]types.QueueAttributeName{
	"visible":   types.QueueAttributeNameApproximateNumberOfMessages,
	"in_flight": types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	"delayed":   types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// ask has the metrics show how much is in the queues that can be found, and how many
// circuits are open.
func (w watch) ask(queues attributesAPI, url func(name string) (string, error), circuits circuit.Store) {
	w.metrics.Ask(time.Now,
		prom.Gauge{Name: "queue_messages", Help: "Messages in a queue, as SQS says.", Labels: []string{"queue", "state"},
			Ask: func(ctx context.Context) ([]prom.Value, error) { return queueDepths(ctx, queues, url) }},
		prom.Gauge{Name: "circuits_open", Help: "Circuits of endpoints and hosts that are open.",
			Ask: func(ctx context.Context) ([]prom.Value, error) { return openCircuits(ctx, circuits) }})
}

// watchedQueues are the queues whose depths are shown.
var watchedQueues = []string{settings.WebhooksQueue, deadletter.WebhookFailures, settings.NotificationsQueue,
	deadletter.NotificationFailures, settings.EventsQueue, deadletter.EventFailures, settings.ReportsQueue, deadletter.ReportFailures,
	settings.AuditQueue, settings.AuditFailuresQueue}

// queueDepths are those of the queues that can be asked. One that can't be, as it is
// another process's, is not shown.
func queueDepths(ctx context.Context, queues attributesAPI, url func(name string) (string, error)) (all []prom.Value, err error) {
	var failed error
	for _, name := range watchedQueues {
		values, err := queueDepth(ctx, queues, url, name)
		if err != nil {
			failed = err
		}
		all = append(all, values...)
	}
	if len(all) == 0 {
		return nil, failed
	}
	return all, nil
}

func queueDepth(ctx context.Context, queues attributesAPI, url func(name string) (string, error), name string) (
	all []prom.Value, err error) {
	at, err := url(name)
	if err != nil {
		return nil, err
	}
	in := &sqs.GetQueueAttributesInput{QueueUrl: &at}
	for _, attribute := range depths {
		in.AttributeNames = append(in.AttributeNames, attribute)
	}
	out, err := queues.GetQueueAttributes(ctx, in)
	if err != nil {
		return nil, err
	}
	for state, attribute := range depths {
		n, err := strconv.ParseFloat(out.Attributes[string(attribute)], 64)
		if err == nil {
			all = append(all, prom.Value{Labels: []string{name, state}, Of: n})
		}
	}
	return all, nil
}

// mostCircuits bounds what is read of a table to be counted.
const mostCircuits = 10_000

func openCircuits(ctx context.Context, circuits circuit.Store) ([]prom.Value, error) {
	var open, seen int
	for next := ""; seen < mostCircuits; {
		states, more, err := circuits.PageCircuits(ctx, next, 500)
		if err != nil {
			return nil, err
		}
		for _, s := range states {
			if s.IsOpen() {
				open++
			}
		}
		if seen, next = seen+len(states), more; next == "" {
			break
		}
	}
	return []prom.Value{{Of: float64(open)}}, nil
}

// traced makes a span of each receive that got something, linked to the traces of what
// it got ("Semantic conventions for messaging spans", receive).
type traced struct {
	eventsource.Queue
	name   string
	tracer trace.Tracer
}

// Receive is eventsource.Queue's.
func (q traced) Receive(ctx context.Context, limit int) ([]events.SQSMessage, error) {
	at := time.Now()
	messages, err := q.Queue.Receive(ctx, limit)
	if len(messages) == 0 {
		return messages, err
	}
	q.tracer.Start(trace.Start{Name: "receive " + q.name, Kind: trace.Client, At: at, Links: batch.TracesOf(messages),
		Attributes: []trace.Attribute{
			trace.Text("messaging.system", "aws_sqs"), trace.Text("messaging.destination.name", q.name),
			trace.Text("messaging.operation.name", "receive"), trace.Text("messaging.operation.type", "receive"),
			trace.Number("messaging.batch.message_count", len(messages))}}).End("")
	return messages, err
}
