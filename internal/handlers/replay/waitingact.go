package replay

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/waiting"
)

// release answers POST /api/v1/waiting/release: what waits is sent at once.
func (h *Handler) release(r *http.Request) (int, any, error) {
	return h.actOnWaiting(r, ledger.WaitingRelease, func(ctx context.Context, items []waiting.Item) ([]waiting.Item, error) {
		done, err := h.Exit.Act(ctx, items, waiting.Sent)
		if len(done) > 0 {
			metric.To(h.Metrics, metric.Event{Name: metric.RoomLeft, Value: float64(len(done))})
		}
		return done, err
	})
}

// drop answers POST /api/v1/waiting/drop: what waits is never sent again. Its
// record is kept first: an item that is dropped has no message any more.
func (h *Handler) drop(r *http.Request) (int, any, error) {
	actor := api.CallerOf(r).Name
	return h.actOnWaiting(r, ledger.WaitingDrop, func(ctx context.Context, items []waiting.Item) ([]waiting.Item, error) {
		ends := map[string]outcome.Event{}
		done, err := h.Exit.Drop(ctx, items, func(ctx context.Context, items []waiting.Item) error {
			records := make([]attempt.Record, len(items))
			for i := range items {
				records[i] = h.dropped(&items[i], actor)
				ends[items[i].ID()] = outcome.OfAttempt(&records[i])
			}
			return h.Records.Put(ctx, records)
		})
		h.tellDropped(ctx, done, ends)
		return done, err
	})
}

// tellDropped tells producers that nothing will come of what was dropped.
func (h *Handler) tellDropped(ctx context.Context, done []waiting.Item, ends map[string]outcome.Event) {
	events := make([]outcome.Event, len(done))
	for i := range done {
		events[i] = ends[done[i].ID()]
	}
	h.Outcomes.Now(ctx, h.Metrics, h.Log, events...)
}

// dropped is the record that a message was dropped, with what its attempts say of
// it.
func (h *Handler) dropped(i *waiting.Item, actor string) attempt.Record {
	r := attempt.Record{
		WebhookID: i.WebhookID, Origin: cmp.Or(i.Carried.Origin, i.MessageID), MessageID: i.MessageID, Attempt: i.Attempt + 1, At: h.Now(),
		URL: i.URL, Tenant: i.Tenant, Channel: i.Channel, Verdict: attempt.Permanent, Dropped: true, Held: i.Carried.Held.String(),
		Reason: "dropped from the waiting room by " + actor,
	}
	if q, err := h.queueBefore(i.Queue); err == nil {
		said := q.Read(i.Body)
		r.URL, r.EventType = said.URL, said.EventType
		r.Notification, r.Event = q.Name == deadletter.NotificationFailures, q.Name == deadletter.EventFailures
	}
	return r
}

// waitingAct is one request's act on what waits. What a crash anywhere may rely
// on: it is announced to the ledger, without which nothing is done, and then done
// under the leases of the items' places.
type waitingAct struct {
	*Handler
	action, actor string
	do            func(context.Context, []waiting.Item) (done []waiting.Item, err error)
	some          WaitingSome
	from          actCursor
	task          Task
}

func (h *Handler) actOnWaiting(r *http.Request, action string, do func(context.Context, []waiting.Item) ([]waiting.Item, error)) (
	int, any, error) {
	some, err := h.readWaitingSome(r)
	if err != nil {
		return 0, nil, err
	}
	a := &waitingAct{Handler: h, action: action, actor: api.CallerOf(r).Name, do: do, some: some}
	if a.from, err = readActCursor(some.Cursor, h.Now()); err != nil {
		return 0, nil, err
	}
	a.task = Task{Kind: KindFilter, Queue: some.Queue, StartedAt: a.from.Started, Status: deadletter.Completed}
	if some.ItemID != "" {
		a.task.Kind, a.task.ItemID = KindItem, some.ItemID
	}
	err = a.run(r.Context())
	return http.StatusAccepted, Started{a.task}, err
}

// run walks through the room, for as long as client waits. What has begun comes
// to its end all the same.
func (a *waitingAct) run(client context.Context) error {
	work, stop := context.WithTimeout(context.WithoutCancel(client), api.RequestTime)
	defer stop()
	w := walk{Handler: a.Handler, filter: a.some.WaitingFilter, from: a.from.Next, size: actPage, end: a.Now().Add(passTime)}
	next, err := w.walk(client, func(items []waiting.Item) (int, error) {
		if err := a.act(work, items); err != nil || a.done() {
			return 0, err
		}
		return len(items), nil
	})
	a.task.Examined = w.seen
	switch {
	case err != nil && a.task.Moved > 0:
		a.Log.ErrorContext(work, "an act on what waits broke off", "action", a.action, "done", a.task.Moved, "error", err)
		a.task.Status, a.task.Reason = deadletter.Failed, api.PublicDetail(err)+"; what is left waits on"
		return nil
	case err != nil:
		return err
	case a.done():
		return nil
	case next != "":
		a.task.Status, a.task.Cursor = deadletter.Running, actCursor{a.from.Started, next}.String()
	case a.some.ItemID != "":
		return api.NotFound("no message waits as item %s: it was sent or dropped, or it never waited", a.some.ItemID)
	}
	return nil
}

// done reports whether the one item that is meant was acted on.
func (a *waitingAct) done() bool { return a.some.ItemID != "" && a.task.Moved > 0 }

// act does it to those of the items that are meant.
func (a *waitingAct) act(ctx context.Context, items []waiting.Item) error {
	meant := slices.DeleteFunc(slices.Clone(items), func(i waiting.Item) bool {
		if a.some.ItemID != "" {
			return i.ID() != a.some.ItemID
		}
		return !i.Since.Before(a.from.Started)
	})
	if len(meant) == 0 {
		return nil
	}
	if err := a.countHeld(ctx, meant); err != nil {
		return err
	}
	if err := a.tell(ctx, meant); err != nil {
		return err
	}
	done, err := a.do(ctx, meant)
	a.task.Moved += int64(len(done))
	if a.done() {
		a.task.WebhookID = done[0].WebhookID
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, waiting.ErrTaken) && a.some.ItemID != "":
		return api.Conflict("item %s: %v", a.some.ItemID, waiting.ErrTaken)
	}
	a.task.Failed += len(meant) - len(done)
	if errors.Is(err, waiting.ErrTaken) {
		a.task.Reason = waiting.ErrTaken.Error()
		return nil
	}
	return api.Unavailable("what waits can't be let go", err)
}

// tell records for the ledger what is about to be done.
func (a *waitingAct) tell(ctx context.Context, items []waiting.Item) error {
	now := a.Now()
	redactor := a.Redactors.Redactor(ctx, now)
	entries := make([]ledger.Entry, len(items))
	for n, i := range items {
		resource := redactor.DeadLetter(i.Queue, i.URL)
		if i.Channel != "" {
			resource = ledger.DeadNotification(i.Queue, i.Channel)
		}
		entries[n] = ledger.Entry{Action: a.action, Actor: a.actor, ID: i.ID(), MessageID: i.MessageID, WebhookID: i.WebhookID,
			Resource: resource, Tenant: i.Tenant, Timestamp: now}
	}
	err := a.Audit.Append(ctx, entries[0].ID, entries)
	return api.Unavailable("nothing was done: the audit queue can't be written", err)
}

// actCursor is where a request of an act left off, and when the first of them
// began: what came into the room later is not meant, for it may have been let go
// by the act itself.
type actCursor struct {
	Started time.Time `json:"s"`
	Next    string    `json:"n"`
}

// String is opaque to clients.
func (c actCursor) String() string { return api.Opaque(c) }

// readActCursor reads what String wrote; an empty text begins an act.
func readActCursor(text string, now time.Time) (actCursor, error) {
	c := actCursor{Started: now}
	if text == "" {
		return c, nil
	}
	if !api.ReadOpaque(text, &c) || c.Started.After(now) {
		return c, api.BadRequest("cursor: is not one that this API gave")
	}
	return c, nil
}
