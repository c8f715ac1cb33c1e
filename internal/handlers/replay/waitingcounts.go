package replay

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/waiting"
)

// WaitingCount is how many messages wait for one endpoint, or on one channel of a
// tenant's notifications, for one reason.
type WaitingCount struct {
	Queue   string `json:"queue"`
	Tenant  string `json:"tenant,omitzero"`
	URL     string `json:"url,omitzero"` // without its query
	Channel string `json:"channel,omitzero"`
	Reason  string `json:"reason"`
	Count   int    `json:"count"`
	// Since is when the first of them came in, Next and Until are when the first
	// and the last of them are due. What waits for a circuit has no such time.
	Since time.Time `json:"since"`
	Next  time.Time `json:"next,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// WaitingCounts is the answer to GET /api/v1/waiting/counts, the most first.
type WaitingCounts struct {
	Items []WaitingCount `json:"items"`
	// Complete says that all of the room was counted. Otherwise Cursor asks for
	// the counts of the rest, which are to be added to these.
	Complete bool   `json:"complete"`
	Cursor   string `json:"cursor,omitzero"`
}

// maxCounts is how many counts an answer has about: Lambda's has 6 MB at most
// ("Lambda quotas").
const maxCounts = 10_000

// waitingCounts answers GET /api/v1/waiting/counts.
func (h *Handler) waitingCounts(r *http.Request) (int, any, error) {
	w, err := h.waitingQuery(r)
	if err != nil {
		return 0, nil, err
	}
	counts := map[WaitingCount]*WaitingCount{}
	w.size, w.end = walkPage, h.Now().Add(passTime)
	next, err := w.walk(r.Context(), func(items []waiting.Item) (int, error) {
		if len(counts) >= maxCounts {
			return 0, nil
		}
		for i := range items {
			one := countOf(&items[i])
			kind := WaitingCount{Queue: one.Queue, Tenant: one.Tenant, URL: one.URL, Channel: one.Channel, Reason: one.Reason}
			if counts[kind] == nil {
				counts[kind] = &kind
			}
			counts[kind].Add(one)
		}
		return len(items), nil
	})
	all := make([]WaitingCount, 0, len(counts))
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, MostFirst)
	return http.StatusOK, WaitingCounts{Items: all, Complete: next == "", Cursor: next}, err
}

func countOf(i *waiting.Item) WaitingCount {
	return WaitingCount{Queue: i.Queue, Tenant: i.Tenant, URL: i.URL, Channel: i.Channel, Reason: string(i.Reason), Count: 1,
		Since: i.Since, Next: dueOf(i), Until: dueOf(i)}
}

// Add adds what else waits for the same.
func (c *WaitingCount) Add(more WaitingCount) {
	if c.Count == 0 || more.Since.Before(c.Since) {
		c.Since = more.Since
	}
	if c.Next.IsZero() || !more.Next.IsZero() && more.Next.Before(c.Next) {
		c.Next = more.Next
	}
	if more.Until.After(c.Until) {
		c.Until = more.Until
	}
	c.Count += more.Count
}

// MostFirst orders counts: the most first, and by their names then.
func MostFirst(a, b WaitingCount) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.URL, b.URL),
		cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Reason, b.Reason))
}
