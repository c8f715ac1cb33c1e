package batch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestABatchSaysThatItWaits: once, when some of it is still being sent after a
// while; not before, and not after its end.
func TestABatchSaysThatItWaits(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]int{0: 0, quick - 1: 0, quick + 1: 1, time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			d, told := newDesk(), 0
			n := d.needs()
			n.Go = func(f func()) { go f() }
			n.Waits = func(context.Context) { told++ }
			n.Handle(t.Context(), eventOf([]string{"a send 1", "b send 1"}), Kind{Job: func(i *Item) Job {
				return &errand{Item: i, d: d, during: func(context.Context) {
					if i.Msg.MessageId == "b" {
						time.Sleep(took)
					}
				}}
			}})
			time.Sleep(time.Hour)
			if synctest.Wait(); told != want {
				t.Errorf("told %d times of exchanges of %v, want %d", told, took, want)
			}
		})
	}
}
