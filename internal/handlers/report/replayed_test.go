package report

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/report"
)

// TestReplayed: a report that was kept, and of which nothing followed, comes out of the
// dead-letter queue under another id. All of it follows then, once.
func TestReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept()
	at := func(r *report.Report) { r.At = w.now.Add(-time.Minute) }
	back := told(attempt.Bounced, hard, at)
	w.broken, w.dead = 3, true // the read and the report's own write have worked
	if w.take(6, back); w.record().Report == nil || !w.record().Report.Due || w.suppressed("ann@acme.test") {
		t.Fatalf("at first %+v", w.record().Report)
	}
	w.broken = 0
	later := told(attempt.Bounced, hard, at, func(r *report.Report) { r.Response = "so that its message has another id" })
	for range 2 {
		if left := w.take(1, later); left != 0 {
			t.Error("it stays in the queue")
		}
	}
	if r := w.record(); r.Report.Due || !w.suppressed("ann@acme.test") || len(w.sent) != 1 || len(w.told) != 1 {
		t.Errorf("then %+v, sent %d, told %v", r.Report, len(w.sent), w.told)
	}
}
