package circuit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

// TestNowAndThen: an endpoint that fails now and then costs a write for each failure
// and one for the success after it, however much goes well besides. What went well
// counts all the same with the next failure of its minute.
func TestNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		tell := func(n int, r circuit.Result) {
			for range n {
				k.Ask(t.Context(), in, host)
				k.Tell(t.Context(), results(1, r))
			}
		}
		check := func(when string, writes, total, bad, run int) {
			t.Helper()
			all, err := s.KeptCircuits(t.Context(), []string{in.Key()})
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			if now := all[0]; s.writes != writes || now.Total != total || now.Bad != bad || now.Run != run || now.IsOpen() {
				t.Errorf("%s: %d writes, %+v", when, s.writes, now)
			}
		}
		tell(30, fine)
		tell(1, failed)
		check("a first failure", 1, 1, 1, 1)
		tell(40, fine)
		check("what goes well after it", 2, 2, 1, 0)
		tell(1, failed)
		check("a failure in the same minute", 3, 42, 2, 1)
		tell(1, failed)
		check("at once another", 4, 43, 3, 2)
		tell(20, fine)
		time.Sleep(61 * time.Second)
		tell(9, fine)
		tell(1, failed)
		check("a failure a minute later", 6, 1, 1, 1)
		tell(1, fine)
		tell(5, fine)
		tell(1, failed)
		check("and one after that", 8, 8, 2, 1)
	})
}

// TestWhatWentWellEndsNoRow: what others saw fail meanwhile goes on counting.
func TestWhatWentWellEndsNoRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		one, other := c.keeper(s), c.keeper(s)
		one.Tell(t.Context(), results(1, failed))
		one.Tell(t.Context(), results(1, fine))
		one.Tell(t.Context(), results(6, fine)) // not told of
		other.Ask(t.Context(), in, host)
		other.Tell(t.Context(), results(3, failed))
		one.Tell(t.Context(), results(1, failed))
		all, err := s.KeptCircuits(t.Context(), []string{in.Key()})
		if err != nil || len(all) != 1 || all[0].Run != 4 || all[0].Total != 12 {
			t.Errorf("%+v, %v", all, err)
		}
		// Nor does it count in a minute that others have begun since.
		one.Tell(t.Context(), results(1, fine)) // ends the row
		one.Tell(t.Context(), results(9, fine))
		time.Sleep(61 * time.Second)
		other.Ask(t.Context(), in, host)
		other.Tell(t.Context(), results(1, failed))
		one.Ask(t.Context(), in, host)
		one.Tell(t.Context(), results(1, failed))
		if all, err = s.KeptCircuits(t.Context(), []string{in.Key()}); err != nil || all[0].Total != 2 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
