package telemetry

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/storetest"
)

func TestEMFIsARecorder(t *testing.T) {
	t.Parallel()
	storetest.TestRecorder(t, func(*testing.T) storetest.Recorded {
		out := &bytes.Buffer{}
		return storetest.Recorded{Recorder: &EMF{Function: "f", Now: time.Now, Out: out},
			Sum: func(name string, l metric.Labels) float64 { return sum(t, out.Bytes(), name, l) }}
	})
}

// sum reads lines as CloudWatch does: a metric counts under each set of dimensions.
func sum(t *testing.T, lines []byte, name string, l metric.Labels) (all float64) {
	want := map[string]string{metric.Function: "f"}
	for _, dimension := range []string{metric.Verdict, metric.Reason, metric.Channel, metric.Action, metric.Phase} {
		if value := l.Of(dimension); value != "" {
			want[dimension] = value
		}
	}
	for scan := bufio.NewScanner(bytes.NewReader(lines)); scan.Scan(); {
		var line map[string]any
		var about struct {
			AWS struct{ CloudWatchMetrics []directive } `json:"_aws"`
		}
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(scan.Bytes(), &about); err != nil {
			t.Error(err)
		}
		for _, d := range about.AWS.CloudWatchMetrics {
			if slices.ContainsFunc(d.Metrics, func(m metricUnit) bool { return m.Name == name }) && under(d.Dimensions, line, want) {
				all += amount(line[name])
			}
		}
	}
	return all
}

// under reports whether one of the sets has just these values.
func under(sets [][]string, line map[string]any, want map[string]string) bool {
	return slices.ContainsFunc(sets, func(set []string) bool {
		return len(set) == len(want) && !slices.ContainsFunc(set, func(d string) bool { return line[d] != want[d] })
	})
}

// amount is how many values, or the count that is one.
func amount(v any) float64 {
	if many, ok := v.([]any); ok {
		return float64(len(many))
	}
	return v.(float64)
}
