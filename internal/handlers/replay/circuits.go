package replay

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/waiting"
)

// Circuit is the breaker of an endpoint, or of all that a host has.
type Circuit struct {
	ID    string `json:"id"`
	Scope string `json:"scope"` // endpoint or host
	// Tenant is whose endpoint it is; a host is nobody's.
	Tenant string `json:"tenant,omitzero"`
	URL    string `json:"url"` // without its query
	Phase  string `json:"phase"`
	// Of one that is open: why, since when, and when the next probe may be made;
	// that is never where Forever: it stays open until somebody closes it. Gone says of
	// such a one that its endpoint wants no more, so that nothing waits for it. Opens is how many times in a row it was opened.
	// Of one that was closed, Opened is when it was opened before.
	Why     string    `json:"why,omitzero"`
	Opened  time.Time `json:"opened,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Forever bool      `json:"forever,omitzero"`
	Gone    bool      `json:"gone,omitzero"`
	Opens   int       `json:"opens,omitzero"`
	// Of one that is closed: the failures in a row, and when it was closed.
	Failures int       `json:"failures,omitzero"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	// Waiting is how many messages wait for it in the waiting room, counted up to
	// 1,000; WaitingMore says that there may be more.
	Waiting     int  `json:"waiting"`
	WaitingMore bool `json:"waiting_more,omitzero"`
}

// Circuits is the answer to GET /api/v1/circuits, in no order.
type Circuits struct {
	Items []Circuit `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

// The phases of a Circuit, and what a filter has for all of them. One that is
// half-open is open, and its probe is under way.
const (
	PhaseClosed   = string(circuit.Closed)
	PhaseOpen     = string(circuit.Open)
	PhaseHalfOpen = "half-open"
	PhaseAll      = "all"
)

const (
	// circuitsPage is how many circuits are read at a time, and countedAtOnce for
	// how many of them it is counted what waits for them.
	circuitsPage, countedAtOnce = 500, 50
	// mostCounted is up to how many messages are counted that wait for a circuit.
	mostCounted = 1000
)

// circuits answers GET /api/v1/circuits.
func (h *Handler) circuits(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	f, err := circuitFilterOf(query)
	if err != nil {
		return 0, nil, err
	}
	limit, err := api.Limit(query)
	if err != nil {
		return 0, nil, err
	}
	l := circuitList{Handler: h, filter: f, limit: limit, end: h.Now().Add(listTime),
		Circuits: Circuits{Items: []Circuit{}, Cursor: query.Get("cursor")}}
	err = l.read(r.Context())
	return http.StatusOK, l.Circuits, err
}

// circuitList is one request's way through the circuits.
type circuitList struct {
	*Handler
	filter circuitFilter
	limit  int
	end    time.Time
	Circuits
}

func (l *circuitList) read(ctx context.Context) error {
	for more := true; more; more = l.Cursor != "" && len(l.Items) < l.limit && l.Now().Before(l.end) {
		states, next, err := l.Handler.Circuits.PageCircuits(ctx, l.Cursor, circuitsPage)
		switch {
		case errors.Is(err, circuit.ErrCursor):
			return api.BadRequest("cursor: is not one that this API gave")
		case err != nil:
			return api.Unavailable("the circuits can't be read", err)
		}
		now := l.Now()
		states = slices.DeleteFunc(states, func(s circuit.State) bool { return !l.filter.takes(s, now) })
		if err := l.add(ctx, states, next); err != nil {
			return err
		}
	}
	return nil
}

// add takes circuits of a page, some at least, and as many as there is room and time
// for. Next is where the page after it begins.
func (l *circuitList) add(ctx context.Context, states []circuit.State, next string) error {
	for first := true; len(states) > 0; first = false {
		n := min(len(states), l.limit-len(l.Items), countedAtOnce)
		if n == 0 || !first && !l.Now().Before(l.end) {
			return nil
		}
		shown, err := l.showCircuits(ctx, states[:n])
		if err != nil {
			return err
		}
		for _, c := range shown {
			if l.filter.shows(c) {
				l.Items = append(l.Items, c)
			}
		}
		l.Cursor = states[n-1].Key()
		states = states[n:]
	}
	l.Cursor = next
	return nil
}

// showCircuits counts what waits for circuits.
func (h *Handler) showCircuits(ctx context.Context, states []circuit.State) ([]Circuit, error) {
	shown := make([]Circuit, len(states))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(reads)
	for i, s := range states {
		g.Go(func() (err error) {
			shown[i] = circuitOf(s, h.Now())
			shown[i].Waiting, shown[i].WaitingMore, err = h.waitFor(ctx, s)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, api.Unavailable("the waiting room can't be read", err)
	}
	return shown, nil
}

// waitFor counts what waits for a circuit.
func (h *Handler) waitFor(ctx context.Context, s circuit.State) (n int, more bool, err error) {
	if s.Awaited.IsZero() {
		return 0, false, nil
	}
	for shard := range waiting.Shards {
		some, others, err := h.Room.Count(ctx, waiting.CircuitPlace(s.Key(), shard), mostCounted-n)
		if err != nil {
			return 0, false, err
		}
		n, more = n+some, more || others
	}
	return n, more, nil
}

func circuitOf(s circuit.State, now time.Time) Circuit {
	c := Circuit{
		ID: s.Key(), Scope: string(s.Scope), Tenant: s.Tenant, URL: s.URL, Phase: phaseOf(s, now),
		Why: s.Why, Opened: s.Opened, Forever: s.Forever, Gone: s.Gone, Opens: s.Opens, Failures: s.Run, ClosedAt: s.ClosedAt,
	}
	if s.IsOpen() && !s.Forever {
		c.Until = s.NextProbe()
	}
	return c
}

func phaseOf(s circuit.State, now time.Time) string {
	switch {
	case !s.IsOpen():
		return PhaseClosed
	case now.Before(s.Probe):
		return PhaseHalfOpen
	}
	return PhaseOpen
}

// circuitFilter chooses circuits. Without a phase those that are open, that have
// failed last, or that something waits for.
type circuitFilter struct{ scope, tenant, urlPrefix, phase string }

var circuitParameters = []string{"scope", "tenant", "url_prefix", "phase", "limit", "cursor"}

func circuitFilterOf(query url.Values) (f circuitFilter, err error) {
	f = circuitFilter{query.Get("scope"), query.Get("tenant"), query.Get("url_prefix"), query.Get("phase")}
	for name, c := range map[string]struct {
		value string
		is    []string
	}{
		"scope": {f.scope, []string{string(circuit.Endpoint), string(circuit.Host)}},
		"phase": {f.phase, []string{PhaseClosed, PhaseOpen, PhaseHalfOpen, PhaseAll}},
	} {
		if c.value != "" && !slices.Contains(c.is, c.value) {
			return f, api.BadRequest("parameter %s: %.40q is none; there are %s", name, c.value, strings.Join(c.is, ", "))
		}
	}
	return f, nil
}

// takes reports whether it may take a circuit, whatever waits for that.
func (f circuitFilter) takes(s circuit.State, now time.Time) bool {
	return (f.scope == "" || f.scope == string(s.Scope)) &&
		(f.tenant == "" || f.tenant == s.Tenant) &&
		strings.HasPrefix(s.URL, f.urlPrefix) && f.takesPhase(s, now)
}

func (f circuitFilter) takesPhase(s circuit.State, now time.Time) bool {
	switch f.phase {
	case "":
		return s.IsOpen() || s.Run > 0 || !s.Awaited.IsZero()
	case PhaseAll:
		return true
	case PhaseOpen:
		return s.IsOpen()
	}
	return f.phase == phaseOf(s, now)
}

// shows reports whether a circuit that it takes is to be listed.
func (f circuitFilter) shows(c Circuit) bool {
	return f.phase != "" || c.Phase != PhaseClosed || c.Failures > 0 || c.Waiting > 0 || c.WaitingMore
}
