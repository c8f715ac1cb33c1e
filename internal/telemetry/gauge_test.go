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
