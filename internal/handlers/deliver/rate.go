package deliver

import (
	"context"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/waiting"
)

// Pace keeps endpoints at their rates, as pace.Keeper does. It is used by many
// goroutines at once.
type Pace interface {
	Turn(ctx context.Context, key string, rate pace.Rate, w pace.Wish) (pace.Turn, error)
	Await(ctx context.Context, at time.Time) error
}

// Patience is how long a message is kept in hand until its turn at its endpoint's rate:
// those that come back for it do so at whole seconds.
const Patience = 2 * time.Second

// limited is the class of what waits so.
const limited = "limit"

const (
	inLine = "not sent: waits for its turn at the endpoint's rate"
	noTime = "not sent: the invocation ended before its turn at the endpoint's rate"
)

// linesUp takes the message's turn at its endpoint's rate, together with others of the
// batch, and reports whether it may be sent in this invocation. Who has waited before
// goes before those who come for the first time, so that nobody's turn is put off again
// and again. A probe is always sent.
func (d *delivery) linesUp(ctx context.Context) bool {
	if d.to == nil || d.to.RatePerSecond == 0 || len(d.probe) > 0 {
		return true
	}
	turn, err := d.needs.Pace.Turn(ctx, paceKey(d.to.ID, d.to.RatePerSecond), pace.PerSecond(d.to.RatePerSecond),
		pace.Wish{Back: d.Held[string(waiting.Limit)] > 0})
	switch {
	case err != nil:
		d.Later(func() { d.waitInLine(d.Now().Add(Patience), inLine) })
		return false
	case !turn.Go:
		d.Later(func() { d.waitInLine(turn.At, inLine) })
		return false
	}
	d.turn = turn.At
	return true
}

// paceKey names an endpoint's pace. Each rate has one of its own: whoever makes it faster
// does not wait for a line that was made for a slower one.
func paceKey(id string, rate float64) string {
	return "endpoint:" + id + "@" + strconv.FormatFloat(rate, 'g', -1, 64)
}

// waitInLine leaves the message until its turn: in its queue up to two minutes, in the
// waiting room beyond.
func (d *delivery) waitInLine(at time.Time, why string) {
	d.record.Class = limited
	d.HoldFor(d.record, batch.Hold{Why: why, Reason: waiting.Limit, Wait: max(at.Sub(d.Now()), time.Second)})
}

// awaitTurn waits for the message's turn, once it is announced, and reports whether that
// has come.
func (d *delivery) awaitTurn(ctx context.Context) bool {
	if d.turn.IsZero() || d.needs.Pace.Await(ctx, d.turn) == nil {
		return true
	}
	d.Tell(d.Outcome(d.record))
	d.waitInLine(d.Now(), noTime)
	return false
}
