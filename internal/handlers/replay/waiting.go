package replay

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/waiting"
)

// WaitingItem is a message in the waiting room.
type WaitingItem struct {
	// ItemID is "<message id>-<attempt>", of the last attempt before it waited.
	ItemID string `json:"item_id"`
	// Queue is the one that it goes back to.
	Queue     string `json:"queue"`
	WebhookID string `json:"webhook_id"`
	MessageID string `json:"message_id"`
	// Origin is the message id under which it was first received.
	Origin string `json:"origin"`
	Tenant string `json:"tenant,omitzero"`
	// URL has no query. A notification has none, and webhooks have no channel:
	// the one that it waits for.
	URL     string `json:"url,omitzero"`
	Channel string `json:"channel,omitzero"`
	// Reason is one of waiting's, Why says it in words.
	Reason string `json:"reason"`
	Why    string `json:"why,omitzero"`
	// Attempts is how many were made, before replays too.
	Attempts int       `json:"attempts"`
	Since    time.Time `json:"since"`
	// Due is when it goes on; Circuit, of one that waits for a circuit instead, the
	// id of that.
	Due     time.Time `json:"due,omitzero"`
	Circuit string    `json:"circuit,omitzero"`
}

// WaitingItems is the answer to GET /api/v1/waiting, in no order.
type WaitingItems struct {
	Items []WaitingItem `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

const (
	// walkPage and actPage are how many items are read at a time: each has its
	// body, of up to 1 MiB.
	walkPage, actPage = 200, 50
)

// waits answers GET /api/v1/waiting.
func (h *Handler) waits(r *http.Request) (int, any, error) {
	w, err := h.waitingQuery(r)
	if err != nil {
		return 0, nil, err
	}
	limit, err := api.Limit(r.URL.Query())
	if err != nil {
		return 0, nil, err
	}
	list := WaitingItems{Items: []WaitingItem{}}
	w.size, w.end = walkPage, h.Now().Add(listTime)
	list.Cursor, err = w.walk(r.Context(), func(items []waiting.Item) (taken int, err error) {
		taken = min(len(items), limit-len(list.Items))
		for i := range items[:taken] {
			list.Items = append(list.Items, waitingItemOf(&items[i]))
		}
		return taken, nil
	})
	return http.StatusOK, list, err
}

func waitingItemOf(i *waiting.Item) WaitingItem {
	return WaitingItem{
		ItemID: i.ID(), Queue: i.Queue, WebhookID: i.WebhookID, MessageID: i.MessageID, Origin: cmp.Or(i.Carried.Origin, i.MessageID),
		Tenant: i.Tenant, URL: i.URL, Channel: i.Channel, Reason: string(i.Reason), Why: i.Why,
		Attempts: i.Carried.Attempts, Since: i.Since, Due: dueOf(i), Circuit: i.Circuit,
	}
}

// dueOf is when an item goes on; zero where it waits for a circuit.
func dueOf(i *waiting.Item) time.Time {
	if i.Circuit != "" {
		return time.Time{}
	}
	return i.Due
}

// walk is one request's way through the waiting room.
type walk struct {
	*Handler
	filter WaitingFilter
	// from is where a former request left off; size and end are how many items
	// are read at a time, and until when.
	from string
	size int
	end  time.Time
	// seen is how many items were read.
	seen int
}

// walk gives the items that the filter takes to take, some at a time, until it
// takes less than it was given, or the time is over. It returns where to go on;
// empty at the end of the room.
func (w *walk) walk(ctx context.Context, take func([]waiting.Item) (taken int, err error)) (next string, err error) {
	for next = w.from; ; {
		items, after, err := w.Room.Page(ctx, next, w.size)
		switch {
		case errors.Is(err, waiting.ErrCursor):
			return "", api.BadRequest("cursor: is not one that this API gave")
		case err != nil:
			return "", api.Unavailable("the waiting room can't be read", err)
		}
		w.seen += len(items)
		chosen := slices.DeleteFunc(items, func(i waiting.Item) bool { return !w.filter.takes(&i) })
		taken, err := take(chosen)
		switch {
		case err != nil:
			return next, err
		case taken < len(chosen):
			if taken > 0 {
				next = waiting.Cursor(chosen[taken-1].Place(), chosen[taken-1].Position())
			}
			return next, nil
		case after == "":
			return "", nil
		}
		if next = after; ctx.Err() != nil || !w.Now().Before(w.end) {
			return next, nil
		}
	}
}
