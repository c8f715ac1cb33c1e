// Package otlp makes spans of OpenTelemetry, and sends them to a collector by OTLP,
// where the standard variables of the environment say so (OTEL_EXPORTER_OTLP_ENDPOINT
// and the others of "OpenTelemetry Environment Variable Specification"). It is for dev
// and worker: no Lambda links it.
package otlp

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/efferent/efferent/internal/trace"
)

// The variables that this package reads by itself. The others are the SDK's to read:
// the sampler's, the exporter's headers, certificates and timeout, the batches'.
const (
	Endpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	exporter       = "OTEL_TRACES_EXPORTER"
	disabled       = "OTEL_SDK_DISABLED"
)

// closeTime is how long what was not sent yet may take at the end.
const closeTime = 3 * time.Second

// nobody closes what was not opened.
func nobody() {}

// New returns the Tracer that the environment asks for, and what sends the last of its
// spans; nil where none is asked for. What can't be sent is logged, and lost.
func New(ctx context.Context, getenv func(string) string, log *slog.Logger) (trace.Tracer, func(), error) {
	on := cmp.Or(getenv(TracesEndpoint), getenv(Endpoint)) != ""
	if !on || strings.EqualFold(getenv(disabled), "true") || getenv(exporter) == "none" {
		return nil, nobody, nil
	}
	if by := cmp.Or(getenv(tracesProtocol), getenv(protocol)); by != "" && by != "http/protobuf" {
		return nil, nobody, fmt.Errorf("environment variable %s: %q is not http/protobuf, the only one that is spoken here", protocol, by)
	}
	out, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nobody, fmt.Errorf("environment variable %s: %w", Endpoint, err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", "efferent")),
		resource.WithFromEnv())
	if err != nil {
		return nil, nobody, fmt.Errorf("environment variable OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans were not sent", "error", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out), sdk.WithResource(about))
	return &tracer{provider.Tracer("github.com/efferent/efferent")}, func() {
		ctx, stop := context.WithTimeout(context.Background(), closeTime)
		defer stop()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last spans were not sent", "error", err)
		}
	}, nil
}
