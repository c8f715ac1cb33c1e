package storetest

import (
	"sync"
	"testing"

	"github.com/efferent/efferent/internal/metric"
)

// Recorded is a Recorder whose events can be read back.
type Recorded struct {
	metric.Recorder
	// Sum is what was counted of a metric, or how often it was measured, under labels;
	// those that are empty are not looked at.
	Sum func(name string, l metric.Labels) float64
}

// TestRecorder holds a metric.Recorder to its promise. Each call of open gives a new
// one.
func TestRecorder(t *testing.T, open func(t *testing.T) Recorded) {
	t.Run("counts add up, by each label", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		delivered, failed := metric.Labels{Verdict: "delivered"}, metric.Labels{Verdict: "permanent", Reason: metric.DNS, Channel: "sms"}
		r.Record([]metric.Event{{Name: metric.Attempts, Value: 1, Labels: delivered}, {Name: metric.Attempts, Value: 1, Labels: delivered},
			{Name: metric.Attempts, Value: 1, Labels: failed}, {Name: metric.Failures, Value: 1, Labels: failed}})
		r.Record([]metric.Event{{Name: metric.Attempts, Value: 1, Labels: delivered}, {Name: metric.RoomLeft, Value: 40}})
		r.Record(nil)
		for _, c := range []struct {
			name string
			l    metric.Labels
			want float64
		}{
			{metric.Attempts, metric.Labels{}, 4}, {metric.Attempts, delivered, 3}, {metric.Attempts, metric.Labels{Verdict: "permanent"}, 1},
			{metric.Attempts, metric.Labels{Verdict: "permanent", Channel: "sms"}, 1}, {metric.Failures, metric.Labels{Reason: metric.DNS}, 1},
			{metric.RoomLeft, metric.Labels{}, 40}, {metric.Held, metric.Labels{}, 0},
		} {
			wantSum(t, r, c.name, c.l, c.want)
		}
	})
	t.Run("each value that is measured counts", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		var events []metric.Event
		for n := range 250 {
			events = append(events, metric.Event{Name: metric.ExchangeLatency, Value: float64(n)})
		}
		r.Record(events)
		wantSum(t, r, metric.ExchangeLatency, metric.Labels{}, 250)
	})
	t.Run("what nobody knows is other, or nothing", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		for _, id := range []string{"evt_1", "evt_2", "a\"b\n", metric.Other} {
			r.Record([]metric.Event{{Name: metric.Failures, Value: 1, Labels: metric.Labels{Reason: id}}, {Name: "evt", Value: 1}})
		}
		wantSum(t, r, metric.Failures, metric.Labels{Reason: metric.Other}, 4)
		wantSum(t, r, metric.Failures, metric.Labels{Reason: "evt_1"}, 0)
	})
	t.Run("many record at once", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				r.Record([]metric.Event{{Name: metric.DeadLetters, Value: 1}, {Name: metric.OldestUndelivered, Value: 1}})
			})
		}
		all.Wait()
		wantSum(t, r, metric.DeadLetters, metric.Labels{}, 50)
	})
}

func wantSum(t *testing.T, r Recorded, name string, l metric.Labels, want float64) {
	t.Helper()
	if got := r.Sum(name, l); got != want {
		t.Errorf("%s by %+v is %v, want %v", name, l, got, want)
	}
}
