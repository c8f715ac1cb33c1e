package release

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
)

// waited is a circuit that messages may wait for, and what its endpoint says, where
// that is a registered one: that alone says whether anything goes to it.
type waited struct {
	circuit.State
	// paused says that it takes nothing, and deleted that there is none any more. Since
	// is since when it is as it is.
	paused, deleted bool
	since           time.Time
	// most is how many go in a step of the ramp at most, by the endpoint's rate.
	most int
}

// mostOf is how many an endpoint takes in a step: more would only be put off once more.
func mostOf(e *endpoint.Endpoint) int {
	if e.RatePerSecond == 0 {
		return math.MaxInt
	}
	return max(1, int(e.RatePerSecond*circuit.StepTime.Seconds()))
}

// holds reports whether what waits has no turn but for its end, or as a probe.
func (w waited) holds() bool { return w.IsOpen() || w.paused || w.deleted }

// held is how long an item was held, as it counts: what was before the endpoint was
// resumed was no fault of its circuit's.
func (w waited) held(i *waiting.Item, now time.Time) time.Duration {
	if i.HeldFor() == waiting.Paused {
		return max(0, now.Sub(i.Since)).Truncate(time.Second)
	}
	since := i.Since
	if w.since.After(since) {
		since = w.since
	}
	return w.Counts(since, now)
}

// endpointsAtOnce is how many endpoints are asked for at a time.
const endpointsAtOnce = 100

// asked asks the registered endpoints, all that have circuits among these. Those that
// can't be asked are left out: nothing is let go to them.
func (h *Handler) asked(ctx context.Context, states []circuit.State) (all []waited, err error) {
	var registered []circuit.State
	for _, s := range states {
		if h.Endpoints != nil && endpoint.Circuit(s.URL) == s.Name && endpoint.IsID(s.URL) {
			registered = append(registered, s)
		} else {
			all = append(all, waited{State: s, most: math.MaxInt})
		}
	}
	for some := range slices.Chunk(registered, endpointsAtOnce) {
		found, readErr := h.endpoints(ctx, some)
		if readErr != nil {
			err = readErr
			continue
		}
		for _, s := range some {
			e, ok := found[s.URL]
			all = append(all, waited{State: s, deleted: !ok, paused: ok && e.State != endpoint.Enabled, since: e.StateSince(), most: mostOf(&e)})
		}
	}
	return all, err
}

// endpoints are those of circuits, by their ids.
func (h *Handler) endpoints(ctx context.Context, of []circuit.State) (map[string]endpoint.Endpoint, error) {
	ids := make([]string, len(of))
	for n, s := range of {
		ids[n] = s.URL
	}
	all, err := h.Endpoints.Endpoints(ctx, ids)
	found := map[string]endpoint.Endpoint{}
	for _, e := range all {
		found[e.ID] = e
	}
	return found, err
}
