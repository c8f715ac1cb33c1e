package prom

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/storetest"
)

func TestPrometheusIsARecorder(t *testing.T) {
	t.Parallel()
	storetest.TestRecorder(t, func(t *testing.T) storetest.Recorded {
		m := New(time.Now)
		return storetest.Recorded{Recorder: m.Of("f"), Sum: func(name string, l metric.Labels) float64 { return sum(t, m, name, l) }}
	})
}

// sum adds up what is shown of a metric.
func sum(t *testing.T, m *Metrics, name string, l metric.Labels) (all float64) {
	families, err := m.registry.Gather()
	if err != nil {
		t.Error(err)
	}
	for _, f := range families {
		if f.GetName() != Name(m.metrics[name].Definition) {
			continue
		}
		for _, one := range f.GetMetric() {
			fits := true
			for _, label := range one.GetLabel() {
				want := l.Of(label.GetName())
				fits = fits && (want == "" || label.GetValue() == want)
			}
			if fits {
				all += one.GetCounter().GetValue() + float64(one.GetHistogram().GetSampleCount())
			}
		}
	}
	return all
}

// filled is each metric, with each of its values.
func filled(now func() time.Time) *Metrics {
	m := New(now)
	for _, d := range metric.Definitions() {
		m.Of("deliver").Record([]metric.Event{{Name: d.Name, Value: 1500}})
		for _, dimension := range d.Dimensions() {
			for _, value := range metric.Values(d.Name, dimension) {
				m.Of("deliver").Record([]metric.Event{{Name: d.Name, Value: 1500, Labels: metric.Labels{
					Verdict: value, Reason: value, Channel: value, Action: value, Phase: value}}})
			}
		}
	}
	m.Ask(now, Gauge{Name: "queue_messages", Help: "Messages.", Labels: []string{"queue"},
		Ask: func(context.Context) ([]Value, error) { return []Value{{[]string{"webhooks"}, 3}}, nil }})
	return m
}

// TestNames: what promtool would say of the names is nothing.
func TestNames(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(filled(time.Now).registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %+v", err, problems)
	}
}

// TestUnits: what CloudWatch has in milliseconds is in seconds here.
func TestUnits(t *testing.T) {
	t.Parallel()
	m := New(time.Now)
	m.Of("notify").Record([]metric.Event{{Name: metric.ExchangeLatency, Value: 1500, Labels: metric.Labels{Channel: "sms"}}})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`efferent_exchange_latency_seconds_sum{channel="sms",function="notify"} 1.5`,
		`efferent_exchange_latency_seconds_bucket{channel="sms",function="notify",le="1"} 0`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
}

// TestWorst: the oldest of late is shown, and none once it is delivered.
func TestWorst(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	m := New(func() time.Time { return now })
	for _, c := range []struct {
		after  time.Duration
		puts   []float64
		oldest string
	}{{0, nil, ""}, {0, []float64{60, 90, 30}, "90"}, {restTime - 1, nil, "90"}, {1, nil, "0"}, {0, []float64{5}, "5"}} {
		now = now.Add(c.after)
		for _, age := range c.puts {
			m.Of("deliver").Record([]metric.Event{{Name: metric.OldestUndelivered, Value: age}})
		}
		var want string
		if c.oldest != "" {
			want = "# HELP efferent_oldest_undelivered_seconds Age of the oldest message that is not delivered.\n" +
				"# TYPE efferent_oldest_undelivered_seconds gauge\nefferent_oldest_undelivered_seconds{function=\"deliver\"} " + c.oldest + "\n"
		}
		if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), "efferent_oldest_undelivered_seconds"); err != nil {
			t.Error(err)
		}
	}
}

// TestGauges: they are asked when somebody looks, not more often than every so often,
// and one that can't be had keeps no other from being shown.
func TestGauges(t *testing.T) {
	t.Parallel()
	now, asked := time.Unix(1_700_000_000, 0), 0
	m := New(func() time.Time { return now })
	m.Ask(func() time.Time { return now }, Gauge{Name: "depth", Help: "Depth.", Labels: []string{"queue"},
		Ask: func(context.Context) ([]Value, error) { asked++; return []Value{{[]string{"webhooks"}, 7}}, nil }},
		Gauge{Name: "broken", Help: "Broken.", Ask: func(context.Context) ([]Value, error) { return nil, errors.New("injected fault") }})
	look := func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
		return w.Body.String()
	}
	for _, c := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {keepTime - 1, 1}, {1, 2}} {
		now = now.Add(c.after)
		if text := look(); !strings.Contains(text, `efferent_depth{queue="webhooks"} 7`) || strings.Contains(text, "broken") || asked != c.asked {
			t.Errorf("after %v: asked %d times, want %d; shown\n%s", c.after, asked, c.asked, text)
		}
	}
}
