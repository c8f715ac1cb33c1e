package telemetry

import (
	"strings"
	"testing"
	"time"
)

func TestCounter(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := &Counter{Name: "Misconfigured", Dimension: "channel", Function: "notify",
		Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }, Out: &out}
	c.Add("sms")
	want := `{"Misconfigured":1,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["function"],["function","channel"]],` +
		`"Metrics":[{"Name":"Misconfigured","Unit":"Count"}],` +
		`"Namespace":"Efferent"}],"Timestamp":1700000000000},"channel":"sms","function":"notify"}` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}
