package replay

import (
	"context"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
)

// countHeld has items that wait for circuits carry for how long they were held for
// them, as those do whose turn has come.
func (h *Handler) countHeld(ctx context.Context, items []waiting.Item) error {
	var keys []string
	for i := range items {
		if items[i].Circuit != "" {
			keys = append(keys, items[i].Circuit)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	kept, err := h.Circuits.KeptCircuits(ctx, keys)
	if err != nil {
		return api.Unavailable("nothing was done: the circuits that messages wait for can't be read", err)
	}
	states := map[string]circuit.State{}
	for _, s := range kept {
		states[s.Key()] = s
	}
	now := h.Now()
	for i := range items {
		s := states[items[i].Circuit]
		if endpoint.IsID(s.URL) { // what waits for a registered one may have done so for a pause
			continue
		}
		if held := s.Counts(items[i].Since, now); items[i].Circuit != "" && held > 0 {
			items[i].Carried.Held = items[i].Carried.Held.With(string(waiting.Circuit), held)
		}
	}
	return nil
}
