package deliver

import (
	"context"
	"time"
)

// asideTime is for how long a message is put back whose turn does not come, and up
// to twice as long: most exchanges that were under way have come to something then.
const asideTime = 10 * time.Second

// notItsTurn is why a message is put back.
const notItsTurn = "not sent: too many requests to its endpoint are under way and unanswered"

// isHopeless reports whether the message can't be sent soon. Then it is put back
// without being announced. A probe is always sent.
func (d *delivery) isHopeless() bool {
	endpoint, _ := d.names()
	if len(d.probe) > 0 || !d.turns.hopeless(endpoint) {
		return false
	}
	d.Later(d.putBack)
	return true
}

func (d *delivery) putBack() {
	d.record.At = d.Now()
	d.PutBack(d.record, asideTime+time.Duration(d.Jitter()*float64(asideTime)), notItsTurn)
}

// takeTurn waits for the message's turn, and reports whether it may be sent. What
// had to wait asks the circuits again: they may have opened meanwhile.
func (d *delivery) takeTurn(ctx context.Context) bool {
	endpoint, host := d.names()
	if len(d.probe) > 0 {
		return true
	}
	var waited bool
	d.inTurn, waited = d.turns.take(ctx, endpoint)
	switch {
	case !d.inTurn:
		d.Tell(d.Outcome(d.record))
		d.putBack()
		return false
	case !waited:
		return true
	}
	r := d.needs.Circuits.Ask(ctx, endpoint, host)
	if d.probe = r.Probe; !r.Go {
		d.giveTurn()
		d.Tell(d.Outcome(d.record))
		d.blocked(r)
	}
	return r.Go
}

func (d *delivery) giveTurn() {
	if d.inTurn {
		endpoint, _ := d.names()
		d.turns.give(endpoint, d.heard)
		d.inTurn = false
	}
}
