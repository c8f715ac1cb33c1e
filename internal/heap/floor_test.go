package heap

import "testing"

// TestPercent: what is small grows to the floor, and what is large doubles, as ever.
func TestPercent(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 100}, {1 * mb, most}, {16 * mb, 700}, {32 * mb, 300}, {63 * mb, 100}, {64 * mb, 100}, {1024 * mb, 100}} {
		if got := percent(c.live, 128*mb); got != c.want {
			t.Errorf("%d MB live: %d percent, want %d", c.live/mb, got, c.want)
		}
	}
}
