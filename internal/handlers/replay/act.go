package replay

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

// replayPolicy is the retry policy that a replayed message follows.
const replayPolicy = "replay"

// acting is one request's acts on dead letters.
type acting struct {
	*Handler
	queue *Queue
	act   string // deadletter.Replay or Discard
	actor string
}

// do acts on letters that this request holds. The order is what a crash
// anywhere may rely on:
//
//  1. each is claimed, so that nobody else acts on it;
//  2. the acts are recorded for the ledger; without that nothing is done;
//  3. a replay sends the message anew, under its webhook-id and its origin;
//  4. the claim is settled: what is left is to be deleted, never sent again;
//  5. the message is deleted, and its failure leaves the index.
//
// A crash before 3 changes nothing: the message shows again, and the claim
// lapses. One between 3 and 4 can send it twice. None loses it. What failed
// says so in its letter, and is to be given back.
func (a *acting) do(ctx context.Context, letters []*letter) {
	a.each(ctx, letters, a.take)
	a.announce(ctx, letters)
	if a.act == deadletter.Replay {
		a.each(ctx, letters, a.sendAgain)
	}
	a.each(ctx, letters, a.settle)
	a.finish(ctx, letters)
}

// each runs step at once for the letters that nothing has gone wrong with.
func (a *acting) each(ctx context.Context, letters []*letter, step func(context.Context, *letter) error) {
	var all sync.WaitGroup
	for _, l := range letters {
		if l.err == nil {
			all.Go(func() { l.err = step(ctx, l) })
		}
	}
	all.Wait()
}

// take claims a letter.
func (a *acting) take(ctx context.Context, l *letter) error {
	now := a.Now()
	l.claim = claim.Claim{Queue: a.queue.Name, ItemID: l.msg.MessageId, Act: a.act, Actor: a.actor, Token: uuid.NewString(), At: now,
		Until: now.Add(claimTime)}
	other, err := a.Claims.TakeClaim(ctx, l.claim)
	switch {
	case errors.Is(err, claim.ErrTaken) && other.Settled && l.triedSince(other):
		// The claim is about the message's last stay here: where a move task keeps
		// the message's id (LocalStack), it can come here again.
		return api.Unavailable("the item can't be claimed", a.Claims.PutClaim(ctx, l.claim))
	case errors.Is(err, claim.ErrTaken) && other.Settled:
		// Its holder died before the delete, or SQS hands out what was deleted.
		if err := a.queue.Letters.Delete(ctx, []events.SQSMessage{l.msg}); err != nil {
			a.Log.WarnContext(ctx, "what is left of a settled item was not deleted", "item_id", l.msg.MessageId, "error", err)
		}
		l.gone = true
		return settledAlready(other)
	case errors.Is(err, claim.ErrTaken):
		return heldBy(other)
	case err != nil:
		a.drop(ctx, l)
		return api.Unavailable("the item can't be claimed", err)
	}
	return nil
}

// triedSince reports whether the message was tried after c was taken.
func (l *letter) triedSince(c claim.Claim) bool {
	last := l.last()
	return last != nil && last.At.After(c.At)
}

func settledAlready(c claim.Claim) error {
	return api.NotFound("item %s was %sed at %s by %s", c.ItemID, c.Act, c.At.UTC().Format("2006-01-02T15:04:05Z"), c.Actor)
}

func heldBy(c claim.Claim) error {
	return api.Conflict("item %s is held by %s, who began to %s it at %s; try again in a minute",
		c.ItemID, c.Actor, c.Act, c.At.UTC().Format("2006-01-02T15:04:05Z"))
}

// announce records what is about to be done. Without it nothing is done.
func (a *acting) announce(ctx context.Context, letters []*letter) {
	action := ledger.DLQReplay
	if a.act == deadletter.Discard {
		action = ledger.DLQDiscard
	}
	var entries []ledger.Entry
	for _, l := range letters {
		if l.err == nil {
			entries = append(entries, ledger.Entry{
				Action: action, Actor: a.actor, ID: l.msg.MessageId, MessageID: l.msg.MessageId, WebhookID: l.item.WebhookID,
				Resource: a.queue.resource(l.item, a.Redactors.Redactor(ctx, l.claim.At)), Tenant: l.item.Tenant, Timestamp: l.claim.At,
			})
		}
	}
	if len(entries) == 0 {
		return
	}
	if err := a.Audit.Append(ctx, entries[0].ID, entries); err != nil {
		a.each(ctx, letters, func(ctx context.Context, l *letter) error {
			a.drop(ctx, l)
			return api.Unavailable("nothing was done: the audit queue can't be written", err)
		})
	}
}

// sendAgain sends the message to where it came from. Its attempts are numbered
// on, and none of those so far counts under the policy that it follows now.
func (a *acting) sendAgain(ctx context.Context, l *letter) (err error) {
	_, trace := batch.TraceOf(&l.msg, l.carried)
	carried := message.Carried{ID: l.item.WebhookID, Origin: l.origin, Attempts: l.number(), Base: l.number(),
		Released: a.Now(), Retry: replayPolicy, Trace: trace}
	if l.newID, err = a.queue.Source.Send(ctx, l.msg, carried.Attributes()); err != nil {
		a.drop(ctx, l)
		return api.Unavailable("the message can't be sent", err)
	}
	return nil
}

// settle says that there is no way back. A replay that can't say so goes on:
// it is sent, and deleting it is the better half.
func (a *acting) settle(ctx context.Context, l *letter) error {
	l.claim.Settled = true
	err := a.Claims.PutClaim(ctx, l.claim)
	if err != nil && a.act == deadletter.Replay {
		a.Log.WarnContext(ctx, "a replayed item's claim was not settled", "item_id", l.msg.MessageId, "error", err)
		return nil
	}
	return api.Unavailable("the item can't be claimed", err)
}

// finish deletes what was settled, and takes it out of the index.
func (a *acting) finish(ctx context.Context, letters []*letter) {
	var messages []events.SQSMessage
	var failures []attempt.Record
	for _, l := range letters {
		if l.err != nil {
			continue
		}
		messages = append(messages, l.msg)
		for _, r := range l.history {
			if r.MessageID == l.msg.MessageId && deadletter.QueueOf(r) != "" {
				failures = append(failures, r)
			}
		}
	}
	if len(messages) == 0 {
		return
	}
	if err := a.queue.Letters.Delete(ctx, messages); err != nil {
		a.Log.WarnContext(ctx, "settled items were not deleted; the next search that meets them does it", "items", len(messages), "error", err)
	}
	if err := a.Failures.ForgetFailures(ctx, failures); err != nil {
		a.Log.WarnContext(ctx, "settled items stay in the index; the next listing passes them over", "items", len(messages), "error", err)
	}
}

// drop lets go of a claim whose act can't be done now.
func (a *acting) drop(ctx context.Context, l *letter) {
	if err := a.Claims.DropClaim(ctx, l.claim); err != nil {
		a.Log.WarnContext(ctx, "a claim was not dropped; it lapses", "item_id", l.msg.MessageId, "until", l.claim.Until, "error", err)
	}
}

// acting prepares the acts of a request.
func (h *Handler) acting(r *http.Request, q *Queue, act string) *acting {
	return &acting{Handler: h, queue: q, act: act, actor: api.CallerOf(r).Name}
}

// missing explains why an item was not found.
func (h *Handler) missing(ctx context.Context, q *Queue, id string, e end) error {
	claims, err := h.Claims.ClaimsOn(ctx, q.Name, []string{id})
	if err != nil {
		return api.Unavailable("the claims can't be read", err)
	}
	for _, c := range claims {
		if c.Settled {
			return settledAlready(c)
		}
		if c.Until.After(h.Now()) {
			return heldBy(c)
		}
	}
	if e == othersHold {
		return api.Conflict("item %s was not found, and %s has messages that somebody else holds; try again in a moment", id, q.Name)
	}
	return api.NotFound("there is no item %s in %s", id, q.Name)
}
