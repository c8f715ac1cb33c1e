package replay

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

// begin waits for the request's turn to walk through q. Whoever gets a pass
// ends it with close.
func (h *Handler) begin(r *http.Request, q *Queue, from passCursor) (*pass, error) {
	now := h.Now()
	p := &pass{Handler: h, queue: q, from: from, client: r.Context(), hide: from.hide(now), deadline: now.Add(passTime)}
	p.work, p.stopWork = context.WithTimeout(context.WithoutCancel(p.client), api.RequestTime)
	p.turn = claim.Claim{Queue: q.Name, ItemID: deadletter.Whole, Act: deadletter.Search, Actor: api.CallerOf(r).Name, Token: uuid.NewString()}
	for {
		p.turn.At = h.Now()
		p.turn.Until = p.turn.At.Add(api.RequestTime)
		other, err := h.Claims.TakeClaim(p.work, p.turn)
		switch {
		case err == nil:
			return p, nil
		case !errors.Is(err, claim.ErrTaken):
			p.leave()
			return nil, api.Unavailable("the queue can't be claimed", err)
		case p.late():
			p.stopWork()
			return nil, api.Conflict("%s is being searched by %s; try again in a moment", q.Name, other.Actor)
		}
		h.Wait(p.work, turnTime)
	}
}

// close gives back what the pass holds, unless it is to go on where it was: for
// that the messages stay hidden, and the cursor is returned.
func (p *pass) close(e end) (cursor string) {
	defer p.leave()
	if e == unfinished && p.client.Err() == nil {
		p.from.Held, p.from.Until = p.from.heldAt(p.Now())+len(p.held), p.Now().Add(p.hide)
		return p.from.String()
	}
	if len(p.held) == 0 {
		return ""
	}
	if err := p.queue.Letters.Show(p.work, p.held); err != nil {
		p.Log.WarnContext(p.work, "messages were not given back; they show by themselves", "messages", len(p.held),
			"within", p.hide.String(), "error", err)
	}
	return ""
}

// leave lets the next pass into the queue.
func (p *pass) leave() {
	defer p.stopWork()
	if err := p.Claims.DropClaim(p.work, p.turn); err != nil {
		p.Log.WarnContext(p.work, "the queue's search claim was not dropped; it lapses", "queue", p.queue.Name, "until", p.turn.Until, "error",
			err)
	}
}
