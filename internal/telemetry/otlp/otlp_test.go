package otlp

import (
	"log/slog"
	"strings"
	"testing"
)

// TestNew: spans are made where the environment asks for them, by the protocol that
// is spoken.
func TestNew(t *testing.T) {
	t.Parallel()
	const there = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		env map[string]string
		on  bool
		err string
	}{
		"nobody asks":           {nil, false, ""},
		"an endpoint":           {map[string]string{Endpoint: there}, true, ""},
		"one for traces":        {map[string]string{TracesEndpoint: there}, true, ""},
		"switched off":          {map[string]string{Endpoint: there, disabled: "TRUE"}, false, ""},
		"no exporter":           {map[string]string{Endpoint: there, exporter: "none"}, false, ""},
		"the protocol":          {map[string]string{Endpoint: there, protocol: "http/protobuf"}, true, ""},
		"another":               {map[string]string{Endpoint: there, protocol: "grpc"}, false, `OTEL_EXPORTER_OTLP_PROTOCOL: "grpc"`},
		"another one of traces": {map[string]string{Endpoint: there, tracesProtocol: "http/json"}, false, `"http/json"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracer, end, err := New(t.Context(), func(name string) string { return c.env[name] }, slog.New(slog.DiscardHandler))
			defer end()
			if (tracer != nil) != c.on {
				t.Errorf("got the tracer %v", tracer)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}
