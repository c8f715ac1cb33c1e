package telemetry

import (
	"strings"
	"testing"
	"time"
)

func TestGauge(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	g := &Gauge{Name: "OldestUndelivered", Function: "release",
		Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }, Out: &out}
	g.Put(90500 * time.Millisecond)
	want := `{"OldestUndelivered":90.5,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["function"]],` +
		`"Metrics":[{"Name":"OldestUndelivered","Unit":"Seconds"}],` +
		`"Namespace":"Efferent"}],"Timestamp":1700000000000},"function":"release"}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

// TestGaugeSaysLittle: what is less than what was said is said after half a
// minute, and what is more at once.
func TestGaugeSaysLittle(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := time.UnixMilli(1_700_000_000_000)
	g := &Gauge{Name: "OldestUndelivered", Function: "deliver", Now: func() time.Time { return now }, Out: &out}
	for _, c := range []struct {
		after, value time.Duration
		lines        int
	}{{0, time.Minute, 1}, {0, time.Minute, 1}, {0, time.Second, 1}, {0, time.Hour, 2}, {gaugeTime - 1, time.Second, 2}, {1, time.Second, 3},
		{1, time.Second, 3}} {
		now = now.Add(c.after)
		g.Put(c.value)
		if got := strings.Count(out.String(), "\n"); got != c.lines {
			t.Errorf("after %v more, %v: %d lines, want %d", c.after, c.value, got, c.lines)
		}
	}
}
