package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/telemetry/prom"
)

// TestTelemetryIsDocumented: the page has each metric by both of its names, each value
// of a dimension, each field of the log, each span and what it says; and no others.
func TestTelemetryIsDocumented(t *testing.T) {
	t.Parallel()
	page, code := read(t, "docs/telemetry.md"), sourceText(t)
	var metrics, exposed []string
	for _, d := range metric.Definitions() {
		metrics, exposed = append(metrics, d.Name), append(exposed, prom.Name(d))
		for _, dimension := range d.Dimensions() {
			for _, value := range metric.Values(d.Name, dimension) {
				if !strings.Contains(page, "`"+value+"`") {
					t.Errorf("the page does not have %s, by which %s is told apart", value, d.Name)
				}
			}
		}
	}
	for _, name := range found(code, `prom\.Gauge\{Name: "(\w+)"`) {
		exposed = append(exposed, prom.Prefix+name)
	}
	attributes := append(found(code, `trace\.(?:Text|Number)\("([a-z_.]+)",`), found(code, `= "(messaging\.[a-z_.]+)"`)...)
	attributes = append(attributes, found(code, `Span\w+ = "([a-z.]+)"`)...)
	attributes = append(attributes, "efferent.webhook_id", "efferent.notification_id", "efferent.event_id", "error.type")
	compare(t, "metric", firstCells(page, "### In CloudWatch"), metrics)
	compare(t, "metric for Prometheus", firstCells(page, "### For Prometheus"), exposed)
	compare(t, "reason", firstCells(page, "### Reasons"),
		append(metric.Values(metric.Failures, metric.Reason), metric.Values(metric.Held, metric.Reason)...))
	compare(t, "field of the log", firstCells(page, "### Fields"), append(logFields(t), "time", "level", "msg", "request_id", "webhook_id",
		"notification_id", "event_id", "message_id", "trace_id", "to", "topic", "template"))
	spans := []string{"receive webhooks", "receive notifications", "process webhooks", "process notifications", "POST"}
	for _, on := range channel.Names {
		spans = append(spans, "send "+string(on))
	}
	compare(t, "span", firstCells(page, "### Spans"), spans)
	compare(t, "attribute of spans", firstCells(page, "### What a span says"), attributes)
}

// compare tells what only one of the two has.
func compare(t *testing.T, what string, page, code []string) {
	t.Helper()
	for _, name := range code {
		if !slices.Contains(page, name) {
			t.Errorf("docs/telemetry.md does not have the %s %s", what, name)
		}
	}
	for _, name := range page {
		if !slices.Contains(code, name) {
			t.Errorf("docs/telemetry.md has the %s %s, and the code has not", what, name)
		}
	}
}

// firstCells are the names in the first column of the table under a heading.
func firstCells(page, heading string) (names []string) {
	_, rest, _ := strings.Cut(page, "\n"+heading+"\n")
	for line := range strings.SplitSeq(rest, "\n") {
		if strings.HasPrefix(line, "#") {
			break
		}
		if strings.HasPrefix(line, "| `") {
			names = append(names, found(strings.SplitN(line, " | ", 2)[0], "`([^`]+)`")...)
		}
	}
	return names
}

func found(text, pattern string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}
