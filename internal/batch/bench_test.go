package batch

import (
	"testing"

	"github.com/efferent/efferent/internal/metric"
)

// counted takes events in, as cheaply as can be.
type counted struct{ events int }

func (c *counted) Record(events []metric.Event) { c.events += len(events) }

// BenchmarkBatch is a batch of ten messages that are delivered at once, told to nobody
// and told to somebody. Divide by ten.
func BenchmarkBatch(b *testing.B) {
	for name, metrics := range map[string]metric.Recorder{"unmeasured": nil, "measured": &counted{}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			event := eventOf([]string{"a send 1", "b send 1", "c send 1", "d send 1", "e send 1", "f send 1", "g send 1", "h send 1",
				"i send 1", "j send 1"})
			for range b.N {
				d := newDesk()
				n := d.needs()
				n.Metrics = metrics
				n.Handle(b.Context(), event, Kind{Job: func(i *Item) Job { return &errand{Item: i, d: d, during: nothing} }})
			}
		})
	}
}
