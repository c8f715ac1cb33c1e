package otlp

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	api "go.opentelemetry.io/otel/trace"

	"github.com/efferent/efferent/internal/trace"
)

type tracer struct{ api.Tracer }

var kinds = map[trace.Kind]api.SpanKind{trace.Client: api.SpanKindClient, trace.Consumer: api.SpanKindConsumer}

// Start is trace.Tracer's.
func (t *tracer) Start(s trace.Start) trace.Span {
	ctx := context.Background()
	if s.Parent.Has() {
		ctx = api.ContextWithRemoteSpanContext(ctx, toAPI(s.Parent))
	}
	options := []api.SpanStartOption{api.WithSpanKind(kinds[s.Kind]), api.WithAttributes(keyValues(s.Attributes)...)}
	if !s.At.IsZero() {
		options = append(options, api.WithTimestamp(s.At))
	}
	for _, l := range s.Links {
		options = append(options, api.WithLinks(api.Link{SpanContext: toAPI(l)}))
	}
	_, span := t.Tracer.Start(ctx, s.Name, options...)
	return &ours{span}
}

type ours struct{ span api.Span }

// Context is trace.Span's.
func (o *ours) Context() trace.Context {
	c := o.span.SpanContext()
	return trace.Context{TraceID: c.TraceID(), SpanID: c.SpanID(), Flags: byte(c.TraceFlags()) & (trace.Sampled | trace.Random),
		State: c.TraceState().String()}
}

// End is trace.Span's ("Semantic conventions", error.type).
func (o *ours) End(failure string, more ...trace.Attribute) {
	o.span.SetAttributes(keyValues(more)...)
	if failure != "" {
		o.span.SetAttributes(attribute.String("error.type", failure))
		o.span.SetStatus(codes.Error, "")
	}
	o.span.End()
}

// toAPI is a place as OpenTelemetry has it. One whose span nobody knows, as X-Ray's may
// be, gets one: without it, its trace would not count.
func toAPI(c trace.Context) api.SpanContext {
	if c.SpanID == [8]byte{} {
		c = c.Next()
	}
	state, _ := api.ParseTraceState(c.State)
	return api.NewSpanContext(api.SpanContextConfig{TraceID: c.TraceID, SpanID: c.SpanID, TraceFlags: api.TraceFlags(c.Flags),
		TraceState: state, Remote: true})
}

func keyValues(attributes []trace.Attribute) []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, len(attributes))
	for _, a := range attributes {
		switch v := a.Value.(type) {
		case string:
			all = append(all, attribute.String(a.Key, v))
		case int64:
			all = append(all, attribute.Int64(a.Key, v))
		}
	}
	return all
}
