package dev

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
)

// collecting is an OTLP collector over HTTP ("OTLP Specification", OTLP/HTTP).
type collecting struct {
	*httptest.Server

	mu       sync.Mutex
	spans    []*otlp.Span
	bytes    []byte
	headers  http.Header
	services map[string]bool
}

func newCollector(t *testing.T) *collecting {
	c := &collecting{services: map[string]bool{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	b, _ := io.ReadAll(body)
	var in collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &in); err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes, c.headers = append(c.bytes, b...), r.Header
	for _, resource := range in.ResourceSpans {
		for _, a := range resource.Resource.Attributes {
			if a.Key == "service.name" {
				c.services[a.Value.GetStringValue()] = true
			}
		}
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// named are the spans of a name in a trace.
func (c *collecting) named(name, traceID string) (all []*otlp.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name && (traceID == "" || hex.EncodeToString(s.TraceId) == traceID) {
			all = append(all, s)
		}
	}
	return all
}

// tracedEndpoint notes the traces of what it is sent, by webhook-id.
func tracedEndpoint(t *testing.T) (url string, told func(id string) http.Header) {
	var mu sync.Mutex
	got := map[string]http.Header{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.Header.Get("webhook-id")] = r.Header
	}))
	t.Cleanup(s.Close)
	return s.URL, func(id string) http.Header {
		mu.Lock()
		defer mu.Unlock()
		return got[id]
	}
}

const (
	producersTrace, producersSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	xrayTrace, xraySpan           = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
)

// sendTraced sends two webhooks as producers do that are traced: one by OpenTelemetry,
// one by X-Ray.
func sendTraced(t *testing.T, p *commandtest.Process, url string) {
	t.Helper()
	out, err := p.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("webhooks")})
	if err != nil {
		t.Fatal(err)
	}
	body := func(id string) *string {
		return aws.String(fmt.Sprintf(`{"id":%q,"url":%q,"secret":%q,"event_type":"e","body":{"n":"the-body"}}`, id, url+"/the-path?q=the-query",
			scenario.SecretName))
	}
	text := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	for _, in := range []*sqs.SendMessageInput{
		{MessageBody: body("evt_w3c"), MessageAttributes: map[string]types.MessageAttributeValue{
			"traceparent": text("00-" + producersTrace + "-" + producersSpan + "-01"), "tracestate": text("congo=t61rcWkgMzE")}},
		{MessageBody: body("evt_xray"), MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"),
				StringValue: aws.String("Root=1-" + xrayTrace[:8] + "-" + xrayTrace[8:] + ";Parent=" + xraySpan + ";Sampled=1")}}},
		{MessageBody: body("evt_none")},
	} {
		in.QueueUrl = out.QueueUrl
		if _, err := p.SQS.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually asks again until it is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(commandtest.Soon); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// TestATraceOfAWebhook follows a trace from the producer's SendMessage to the
// endpoint's header, through a collector.
func TestATraceOfAWebhook(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	url, told := tracedEndpoint(t)
	p := commandtest.StartProcess(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-key=k",
		"OTEL_BSP_SCHEDULE_DELAY=20",
		"OTEL_SERVICE_NAME=webhooks-test"}, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:")
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	sendTraced(t, p, url)
	eventually(t, "all spans", func() bool { return len(c.named("POST", "")) == 3 && len(c.named("process webhooks", "")) == 3 })
	for id, producer := range map[string][2]string{"evt_w3c": {producersTrace, producersSpan}, "evt_xray": {xrayTrace, xraySpan}} {
		if len(c.named("POST", producer[0])) != 1 || len(c.named("process webhooks", producer[0])) != 1 {
			t.Fatalf("%s has not its two spans in its producer's trace", id)
		}
		process, post := c.named("process webhooks", producer[0])[0], c.named("POST", producer[0])[0]
		if hex.EncodeToString(process.ParentSpanId) != producer[1] || !bytes.Equal(post.ParentSpanId, process.SpanId) ||
			process.Kind != otlp.Span_SPAN_KIND_CONSUMER || post.Kind != otlp.Span_SPAN_KIND_CLIENT {
			t.Errorf("%s: process %v, POST %v", id, process, post)
		}
		if want := "00-" + producer[0] + "-" + hex.EncodeToString(post.SpanId) + "-01"; told(id).Get("traceparent") != want {
			t.Errorf("%s: the endpoint was told %q, want %q", id, told(id).Get("traceparent"), want)
		}
		records, err := p.History(t.Context(), id)
		if err != nil || len(records) != 1 || records[0].TraceID != producer[0] {
			t.Errorf("%s: recorded %+v, %v", id, records, err)
		}
	}
	if got := told("evt_w3c").Get("tracestate"); got != "congo=t61rcWkgMzE" {
		t.Errorf("the tracestate was %q", got)
	}
	eventually(t, "the receives", func() bool {
		links := 0
		for _, s := range c.named("receive webhooks", "") {
			links += len(s.Links)
		}
		return links == 2
	})
	eventually(t, "what has no trace begins one", func() bool { return strings.HasPrefix(told("evt_none").Get("traceparent"), "00-") })
	if err := p.Terminate(); err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range []string{"the-body", "the-query", "the-path", scenario.SecretValue, scenario.SecretName} {
		if bytes.Contains(c.bytes, []byte(secret)) {
			t.Errorf("the spans hold %s", secret)
		}
	}
	if c.headers.Get("x-key") != "k" || !c.services["webhooks-test"] || len(c.services) != 1 {
		t.Errorf("sent with %v, of %v", c.headers, c.services)
	}
}

// TestMetricsOfDev: what has happened is shown as Prometheus reads it; a collector that
// is not there does no harm.
func TestMetricsOfDev(t *testing.T) {
	t.Parallel()
	url, told := tracedEndpoint(t)
	p := commandtest.StartProcess(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY=20"},
		"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:")
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	sendTraced(t, p, url)
	eventually(t, "its delivery", func() bool { return told("evt_w3c") != nil })
	var text string
	eventually(t, "its metrics", func() bool {
		status, b, err := p.API(t.Context(), "GET", "/metrics", "")
		text = string(b)
		return err == nil && status == http.StatusOK &&
			strings.Contains(text, `efferent_attempts_total{channel="",function="deliver",verdict="delivered"} 3`) &&
			strings.Contains(text, `efferent_ledger_entries_total{function="audit"} 6`)
	})
	for _, want := range []string{`efferent_queue_messages{queue="webhooks",state="visible"} `, "efferent_circuits_open 0",
		`efferent_exchange_latency_seconds_count{channel="",function="deliver"} 3`,
		`efferent_time_to_delivery_seconds_count{function="deliver"} 3`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
