package deliver

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/webhook"
)

const (
	producers = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	another   = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"
	xray      = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
)

// TestTrace: whichever way its producer names its trace, the endpoint is told of it, by
// a span of each attempt's own, and so is the record. What is malformed is none, and
// fails nothing.
func TestTrace(t *testing.T) {
	t.Parallel()
	released := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		attributes   map[string]string
		header, body string
		carried      message.Carried
		id, flags    string
	}{
		"none":         {},
		"an attribute": {attributes: map[string]string{"traceparent": producers}, id: "4bf92f3577b34da6a3ce929d0e0e4736", flags: "01"},
		"X-Ray's":      {header: xray, id: "5759e988bd862e3fe1be46a994272793", flags: "00"},
		"both":         {attributes: map[string]string{"traceparent": another}, header: xray, id: strings.Repeat("a", 32), flags: "00"},
		"carried": {carried: message.Carried{Released: released, Trace: another}, header: xray, id: strings.Repeat("a", 32),
			flags: "00"},
		"that of who let it out": {carried: message.Carried{Released: released}, header: xray},
		"malformed":              {attributes: map[string]string{"traceparent": "00-x"}, header: "Root=1"},
		"malformed, beside X-Ray's": {attributes: map[string]string{"traceparent": "00-x"}, header: xray,
			id: "5759e988bd862e3fe1be46a994272793", flags: "00"},
		"in its own headers": {attributes: map[string]string{"traceparent": producers},
			body: `"headers":{"traceparent":"` + another + `"},`, id: strings.Repeat("a", 32)},
	} {
		w := newWorld(t, webhook.Exchange{Status: 503, Err: nil}, webhook.Exchange{Status: 204})
		m := aMessage("evt", strings.Replace(body("evt"), "{", "{"+c.body, 1), 1)
		m.Attributes[message.TraceHeader] = c.header
		m.Attributes["SentTimestamp"] = "1763971200000"
		m.MessageAttributes = map[string]events.SQSMessageAttribute{}
		for name, text := range c.carried.Attributes() {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
		}
		for name, text := range c.attributes {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
		}
		w.handle(m)
		w.now = w.now.Add(time.Hour)
		m.Attributes["ApproximateReceiveCount"] = "2"
		w.handle(m)
		if len(w.posts) != 2 {
			t.Fatalf("%s: %d posts", name, len(w.posts))
		}
		first, second := w.posts[0], w.posts[1]
		for n, r := range w.recorded("evt") {
			if r.TraceID != c.id {
				t.Errorf("%s: attempt %d is recorded with the trace %q", name, n+1, r.TraceID)
			}
		}
		if first.Trace.ID() != c.id && c.body == "" || first.Trace.Has() && first.Trace.SpanID == second.Trace.SpanID {
			t.Errorf("%s: sent with %s, and %s", name, first.Trace.Parent(), second.Trace.Parent())
		}
		if first.Trace.Has() && c.flags != "" && !strings.HasSuffix(first.Trace.Parent(), "-"+c.flags) {
			t.Errorf("%s: sent with %s", name, first.Trace.Parent())
		}
		if logged := strings.Contains(w.lines.String(), "trace_id="+c.id+" "); logged != (c.id != "") {
			t.Errorf("%s: logged\n%s", name, w.lines.String())
		}
	}
}

// TestSpans: a message is a span of its producer's trace, and each exchange one of
// that. They hold nothing of the path, the query, the body or a key.
func TestSpans(t *testing.T) {
	t.Parallel()
	w, spans := newWorld(t, webhook.Exchange{Status: 503}), &storetest.Spans{}
	h := w.handler()
	h.Tracer = spans
	m, parent := aMessage("evt", body("evt"), 1), producers
	m.MessageAttributes = map[string]events.SQSMessageAttribute{"traceparent": {DataType: "String", StringValue: &parent}}
	w.handleWith(h, m)
	own := w.posts[0].Trace
	want := []string{
		"POST of PROCESS failed by 5xx http.request.method=POST server.address=a.test server.port=443 http.response.status_code=503",
		"process webhooks of 00f067aa0ba902b7 failed by 5xx messaging.system=aws_sqs messaging.destination.name=webhooks " +
			"messaging.operation.name=process messaging.operation.type=process messaging.message.id=m-evt efferent.webhook_id=evt " +
			"efferent.attempt=1 efferent.verdict=retryable",
	}
	got := spans.Ended()
	_, rest, _ := strings.Cut(got[0], " of ")
	process, _, _ := strings.Cut(rest, " ")
	got[0] = strings.Replace(got[0], process, "PROCESS", 1)
	if diff := cmp.Diff(want, got); diff != "" || own.ID() != "4bf92f3577b34da6a3ce929d0e0e4736" || process == "0000000000000000" {
		t.Errorf("sent with %s (-want +got):\n%s", own.Parent(), diff)
	}
}
