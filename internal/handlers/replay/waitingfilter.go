package replay

import (
	"net/http"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/waiting"
)

// WaitingFilter chooses messages of the waiting room: those that all of its
// fields are true of. In a query they have the same names.
type WaitingFilter struct {
	Queue  string `json:"queue,omitzero"`
	Tenant string `json:"tenant,omitzero"`
	// URLPrefix is what the URL begins with, which has no query.
	URLPrefix string `json:"url_prefix,omitzero"`
	Reason    string `json:"reason,omitzero"`
	WebhookID string `json:"webhook_id,omitzero"`
}

// WaitingSome is the body of POST /api/v1/waiting/release and /drop: one item,
// those that a filter takes, or all.
type WaitingSome struct {
	WaitingFilter
	ItemID string `json:"item_id,omitzero"`
	All    bool   `json:"all,omitzero"`
	// Cursor is what the previous request of the same act answered.
	Cursor string `json:"cursor,omitzero"`
}

func (f WaitingFilter) takes(i *waiting.Item) bool {
	return (f.Queue == "" || f.Queue == i.Queue) &&
		(f.Tenant == "" || f.Tenant == i.Tenant) &&
		strings.HasPrefix(i.URL, f.URLPrefix) &&
		(f.Reason == "" || f.Reason == string(i.Reason)) &&
		(f.WebhookID == "" || f.WebhookID == i.WebhookID)
}

// waitingReasons are those that something waits for.
var waitingReasons = []string{string(waiting.Delay), string(waiting.Asked), string(waiting.Trouble), string(waiting.Limit),
	string(waiting.Circuit), string(waiting.Paused)}

// check refuses what can take nothing: it is a slip.
func (h *Handler) check(f WaitingFilter) error {
	if f.Queue != "" {
		if _, err := h.queueBefore(f.Queue); err != nil {
			return err
		}
	}
	if f.Reason != "" && !slices.Contains(waitingReasons, f.Reason) {
		return api.BadRequest("reason: %.40q is none; there are %s", f.Reason, strings.Join(waitingReasons, ", "))
	}
	return nil
}

// queueBefore finds the dead-letter queue of a queue.
func (h *Handler) queueBefore(name string) (*Queue, error) {
	var names []string
	for i := range h.Queues {
		if h.Queues[i].Unrecorded { // nothing of it waits in the room
			continue
		}
		if h.Queues[i].From == name {
			return &h.Queues[i], nil
		}
		names = append(names, h.Queues[i].From)
	}
	slices.Sort(names)
	return nil, api.NotFound("there is no queue %q; there are %s", name, strings.Join(names, " and "))
}

var waitingParameters = []string{"queue", "tenant", "url_prefix", "reason", "webhook_id"}

// waitingQuery reads the filter of a GET.
func (h *Handler) waitingQuery(r *http.Request) (*walk, error) {
	query := r.URL.Query()
	f := WaitingFilter{Queue: query.Get("queue"), Tenant: query.Get("tenant"), URLPrefix: query.Get("url_prefix"),
		Reason: query.Get("reason"), WebhookID: query.Get("webhook_id")}
	return &walk{Handler: h, filter: f, from: query.Get("cursor")}, h.check(f)
}

// readWaitingSome reads what an act is for. Nothing at all may be a slip.
func (h *Handler) readWaitingSome(r *http.Request) (s WaitingSome, err error) {
	const ways = `name an item_id, or filter by queue, tenant, url_prefix, reason or webhook_id, or say {"all": true}`
	if _, err := api.Object(r, &s, ways); err != nil {
		return s, err
	}
	n := 0
	for _, way := range []bool{s.ItemID != "", s.All, s.WaitingFilter != WaitingFilter{}} {
		if way {
			n++
		}
	}
	switch {
	case n == 0:
		return s, api.BadRequest("the body names nothing: " + ways)
	case n > 1:
		return s, api.BadRequest("item_id, all and filters do not go together: use one of them")
	}
	return s, h.check(s.WaitingFilter)
}
