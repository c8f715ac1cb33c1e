package replay

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/deadletter"
)

// show answers GET /api/v1/dlq/{queue}/{item_id}.
func (h *Handler) show(r *http.Request) (int, any, error) {
	var shown Letter
	_, goOn, err := h.withItem(r, func(ctx context.Context, q *Queue, l *letter) (keep bool, err error) {
		shown = Letter{Item: l.item, Attempts: l.history, Body: l.msg.Body}
		return true, nil
	})
	if err == nil && goOn != "" {
		err = api.Refuse(http.StatusServiceUnavailable, "the item was not found within the time of one request; the search goes on where it was "+
			"if you ask again now")
	}
	return http.StatusOK, shown, err
}

// replayOne answers POST /api/v1/dlq/{queue}/replay/{item_id}.
func (h *Handler) replayOne(r *http.Request) (int, any, error) {
	task := Task{Kind: KindItem, Queue: r.PathValue("queue"), ItemID: r.PathValue("item_id"), Status: deadletter.Running}
	examined, goOn, err := h.withItem(r, func(ctx context.Context, q *Queue, l *letter) (keep bool, err error) {
		h.acting(r, q, deadletter.Replay).do(ctx, []*letter{l})
		task.Status, task.Moved, task.WebhookID, task.MessageID = deadletter.Completed, 1, l.item.WebhookID, l.newID
		return l.stays(), l.err
	})
	task.Examined, task.Cursor = examined, goOn
	return http.StatusAccepted, Started{task}, err
}

// discard answers DELETE /api/v1/dlq/{queue}/{item_id}.
func (h *Handler) discard(r *http.Request) (int, any, error) {
	examined, goOn, err := h.withItem(r, func(ctx context.Context, q *Queue, l *letter) (keep bool, err error) {
		h.acting(r, q, deadletter.Discard).do(ctx, []*letter{l})
		return l.stays(), l.err
	})
	if goOn != "" {
		return http.StatusAccepted, Started{Task{Kind: KindItem, Queue: r.PathValue("queue"), ItemID: r.PathValue("item_id"),
			Status: deadletter.Running, Examined: examined, Cursor: goOn}}, err
	}
	return http.StatusNoContent, nil, err
}

// withItem finds the item that a request names, lets do act on it while it is
// hidden, and then gives back everything else, and the item too if do keeps it.
// When the time is over before it is found, goOn is the cursor to go on with.
func (h *Handler) withItem(r *http.Request, do func(context.Context, *Queue, *letter) (keep bool, err error)) (
	examined int, goOn string, err error) {
	q, err := h.queue(r.PathValue("queue"))
	if err != nil {
		return 0, "", err
	}
	from, err := readPassCursor(r.URL.Query().Get("cursor"), h.Now())
	if err != nil {
		return 0, "", err
	}
	p, err := h.begin(r, q, from)
	if err != nil {
		return 0, "", err
	}
	id := r.PathValue("item_id")
	var item *letter
	p.look = func(messages []events.SQSMessage) (hold []events.SQSMessage, err error) {
		for _, m := range messages {
			if m.MessageId == id {
				item, err = q.open(m), errStop
			} else {
				hold = append(hold, m)
			}
		}
		return hold, err
	}
	e, err := p.run(true)
	if item != nil { // though a worker beside may have failed
		err = h.recall(p.work, item)
		keep := true
		if err == nil {
			keep, err = do(p.work, q, item)
		}
		if keep {
			p.hold([]events.SQSMessage{item.msg})
		}
	} else if err == nil && e != unfinished {
		err = h.missing(p.work, q, id, e)
	}
	return p.examined, p.close(e), err
}

// passCursor is how far the former requests of a pass came.
type passCursor struct {
	// Started is when the first of them began.
	Started time.Time `json:"s"`
	// Held is how many messages they left hidden, the last of them Until then.
	Held  int       `json:"h"`
	Until time.Time `json:"u"`
}

// mostHeld is more than SQS lets be hidden ("Amazon SQS message quotas").
const mostHeld = 1_000_000

func (c passCursor) heldAt(now time.Time) int {
	if now.After(c.Until) {
		return 0
	}
	return c.Held
}

// hide is how long messages stay hidden in a pass: the longer it has been under
// way, the longer, so that it can come to an end in a queue of any length.
func (c passCursor) hide(now time.Time) time.Duration {
	return min(hideTime+now.Sub(c.Started).Truncate(time.Second), maxHideTime)
}

// String is opaque to clients.
func (c passCursor) String() string { return api.Opaque(c) }

// readPassCursor reads what String wrote; an empty text begins a pass.
func readPassCursor(text string, now time.Time) (passCursor, error) {
	c := passCursor{Started: now}
	if text == "" {
		return c, nil
	}
	if !api.ReadOpaque(text, &c) || c.Held < 0 || c.Held > mostHeld || c.Until.After(now.Add(maxHideTime)) ||
		now.Sub(c.Started) > time.Hour || c.Started.After(now) {
		return c, api.BadRequest("cursor: is not one that this API gave")
	}
	return c, nil
}
