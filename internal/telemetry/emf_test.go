package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/metric"
)

// attempts are events of n deliveries that took 120 ms each.
func attempts(n int, l metric.Labels) (events []metric.Event) {
	for range n {
		events = append(events, metric.Event{Name: metric.Attempts, Value: 1, Labels: l},
			metric.Event{Name: metric.ExchangeLatency, Value: 120, Labels: l})
	}
	return events
}

// TestEMF holds whole lines: what CloudWatch makes metrics of.
func TestEMF(t *testing.T) {
	t.Parallel()
	delivered := metric.Labels{Verdict: "delivered"}
	failed := metric.Labels{Verdict: "retryable", Reason: metric.DNS, Channel: "slack"}
	const aws = `"_aws":{"CloudWatchMetrics":[`
	const end = `],"Timestamp":1700000000000}`
	for name, c := range map[string]struct {
		events []metric.Event
		few    bool
		want   []string
	}{
		"nothing": {nil, false, nil},
		"a count": {[]metric.Event{{Name: metric.Misconfigured, Value: 1, Labels: metric.Labels{Channel: "sms"}}}, true, []string{
			`{"Misconfigured":1,` + aws + `{"Namespace":"Efferent","Dimensions":[["function"],["function","channel"]],` +
				`"Metrics":[{"Name":"Misconfigured","Unit":"Count"}]}` + end + `,"channel":"sms","function":"notify"}`}},
		"two deliveries are one line, and what has no labels is in it": {
			append(attempts(2, delivered), metric.Event{Name: metric.OldestUndelivered, Value: 90.5004}), false, []string{
				`{"Attempts":2,"ExchangeLatency":[120,120],"OldestUndelivered":90.5,` + aws +
					`{"Namespace":"Efferent","Dimensions":[["function"],["function","verdict"]],"Metrics":[{"Name":"Attempts","Unit":"Count"}]},` +
					`{"Namespace":"Efferent","Dimensions":[["function"]],"Metrics":[{"Name":"ExchangeLatency","Unit":"Milliseconds"},` +
					`{"Name":"OldestUndelivered","Unit":"Seconds"}]}` + end + `,"function":"notify","verdict":"delivered"}`}},
		"a failure": {[]metric.Event{{Name: metric.Attempts, Value: 1, Labels: failed}, {Name: metric.Failures, Value: 1, Labels: failed}}, false,
			[]string{`{"Attempts":1,"Failures":1,` + aws +
				`{"Namespace":"Efferent","Dimensions":[["function"],["function","verdict"],["function","channel","verdict"]],` +
				`"Metrics":[{"Name":"Attempts","Unit":"Count"}]},` +
				`{"Namespace":"Efferent","Dimensions":[["function"],["function","reason"]],"Metrics":[{"Name":"Failures","Unit":"Count"}]}` +
				end + `,"channel":"slack","function":"notify","reason":"dns","verdict":"retryable"}`}},
		"a value that nobody knows": {[]metric.Event{{Name: metric.Held, Value: 1, Labels: metric.Labels{Reason: "evt_1042"}}}, false,
			[]string{`{"Held":1,` + aws + `{"Namespace":"Efferent","Dimensions":[["function"],["function","reason"]],` +
				`"Metrics":[{"Name":"Held","Unit":"Count"}]}` + end + `,"function":"notify","reason":"other"}`}},
		"a metric that nobody knows": {[]metric.Event{{Name: "Secrets", Value: 1}}, false, nil},
		"no more than alarms want":   {attempts(2, delivered), true, nil},
	} {
		var out strings.Builder
		(&EMF{Function: "notify", Few: c.few, Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }, Out: &out}).Record(c.events)
		var got []string
		if out.Len() > 0 {
			got = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestEMFsBounds: a metric has a hundred values in one line at most, and each set of
// labels a line.
func TestEMFsBounds(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{100: 1, 101: 2, 250: 3} {
		var out strings.Builder
		e := &EMF{Now: time.Now, Out: &out}
		e.Record(attempts(n, metric.Labels{Verdict: "delivered"}))
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%d values are %d lines, want %d", n, got, want)
		}
	}
	var out strings.Builder
	e := &EMF{Now: time.Now, Out: &out}
	e.Record(append(attempts(3, metric.Labels{Verdict: "delivered"}), attempts(3, metric.Labels{Verdict: "permanent"})...))
	if got := strings.Count(out.String(), "\n"); got != 2 {
		t.Errorf("two verdicts are %d lines", got)
	}
}

// TestOldestSaysLittle: alone, what is less than what was said is said after half a
// minute, and what is more at once; beside others it costs next to nothing.
func TestOldestSaysLittle(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := time.UnixMilli(1_700_000_000_000)
	e := &EMF{Function: "deliver", Now: func() time.Time { return now }, Out: &out}
	for _, c := range []struct {
		after  time.Duration
		value  float64
		lines  int
		beside bool
	}{{0, 60, 1, false}, {0, 60, 1, false}, {0, 1, 1, false}, {0, 3600, 2, false}, {restTime - 1, 1, 2, false}, {1, 1, 3, false},
		{1, 1, 3, false}, {0, 1, 4, true}} {
		now = now.Add(c.after)
		events := []metric.Event{{Name: metric.OldestUndelivered, Value: c.value}}
		if c.beside {
			events = append(events, metric.Event{Name: metric.Attempts, Value: 1})
		}
		e.Record(events)
		if got := strings.Count(out.String(), "\n"); got != c.lines || c.beside && strings.Count(out.String(), `"OldestUndelivered":`) != 4 {
			t.Errorf("after %v more, %v: %d lines, want %d", c.after, c.value, got, c.lines)
		}
	}
}

// TestEMFsLevel: where Lambda leaves out lines of INFO, these are of more.
func TestEMFsLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"": "", "INFO": "", "DEBUG": "", "WARN": `"level":"WARN","time":"2023-11-14T22:13:20Z"`,
		"FATAL": `"level":"FATAL","time":"2023-11-14T22:13:20Z"`} {
		var out strings.Builder
		e := &EMF{Level: level, Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }, Out: &out}
		e.Record([]metric.Event{{Name: metric.DeadLetters, Value: 1}})
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, `"level"`) != (want != "") {
			t.Errorf("%q: %s", level, got)
		}
	}
}
