package circuit

import "time"

// well are exchanges of a circuit that went well and are not told of: each would be
// a write, at an endpoint that now and then answers with a failure. They are this
// process's, and count with the next that does not go well.
type well struct {
	// since is State.Since of the minute that they are in.
	since time.Time
	total int
}

// with counts what went well before, where that was in the same minute.
func (s State) with(w well) State {
	if w.since.Equal(s.Since) {
		s.Total += w.total
	}
	return s
}

// untold are those of a circuit.
func (k *Keeper) untold(n Name) well {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known[n].well
}

// withhold remembers what was not told of a circuit; told says that all was. What
// went well counts only in a minute in which something did not.
func (k *Keeper) withhold(n Name, seen Seen, told bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.known[n]
	switch {
	case !ok:
		return
	case told || s.AtRest(k.Now()):
		s.well = well{}
	case s.well.since.Equal(s.Since):
		s.well.total += seen.Total
	default:
		s.well = well{s.Since, seen.Total}
	}
	k.known[n] = s
}
