package circuit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

// late is a table whose cheap reads give what was there at first.
type late struct{ *table }

func (late) Circuits(context.Context, []circuit.Name) ([]circuit.State, error) { return nil, nil }

// TestDecisions: what somebody decides is done to the circuit as it is, whatever is
// known of it or a read that lags has of it, and told each time it changes anything.
func TestDecisions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		open(t, c.keeper(s), failed)
		decide := func(what string, do func() (circuit.State, error), isOpen bool, told ...string) {
			t.Helper()
			got, err := do()
			if now := s.kept(t, in); err != nil || got != now || now.IsOpen() != isOpen || now.Halted() != isOpen {
				t.Errorf("%s: %+v, kept is %+v, %v", what, got, now, err)
			}
			c.want(t, told...)
		}
		heard := func() *circuit.Keeper { // what a read that lags has of it
			k := c.keeper(late{s})
			k.Ask(t.Context(), in)
			return k
		}
		opens := func() (circuit.State, error) { return heard().Open(t.Context(), in, "moving") }
		closes := func() (circuit.State, error) { return heard().Close(t.Context(), in) }
		const forever = "endpoint open->open"
		decide("opened, which it was", opens, true, opened, forever)
		decide("opened again", opens, true, opened, forever)
		decide("closed", closes, false, opened, forever, closed)
		decide("closed again", closes, false, opened, forever, closed)
		time.Sleep(time.Minute)
		decide("opened", opens, true, opened, forever, closed, opened)
		decide("closed", closes, false, opened, forever, closed, opened, closed)
		heard().Tell(t.Context(), results(1, circuit.Result{Gone: true}))
		decide("opened, which was gone", opens, true, opened, forever, closed, opened, closed, opened, forever)
	})
}
