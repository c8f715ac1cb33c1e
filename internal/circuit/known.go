package circuit

import (
	"context"
	"maps"
	"time"
)

// known is what was last heard of a circuit.
type known struct {
	State
	// heard is when the store said so, and asked when it was last asked.
	heard, asked time.Time
	// refused is how many messages were turned away while its next probe is due when
	// it is.
	refused int
	well    well
	// delivered is when this process last saw its endpoint take a message.
	delivered time.Time
}

const (
	// fresh is how long a state is taken for what it is.
	fresh = time.Second
	// lag is how long a read may give what was there before the last change.
	lag = time.Minute
	// readTime is how long reading may take: what comes before the sending has
	// little.
	readTime = time.Second
	// maxKnown is how many are remembered; of more, those that are not fresh go.
	maxKnown = 10_000
)

// last is what was heard last of a circuit, however long ago.
func (k *Keeper) last(n Name) State {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, ok := k.known[n]; ok {
		return s.State
	}
	return State{Name: n}
}

// counted counts a message that is turned away. That an endpoint is gone ends it only
// where the store has said so within the lag: nothing brings back what is ended, and
// somebody may have closed the circuit since.
func (k *Keeper) counted(r Ruling) Ruling {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Nth = 1
	if s, ok := k.known[r.State.Name]; ok {
		s.refused++
		k.known[r.State.Name], r.Nth = s, s.refused
		if now := k.Now(); r.Never && now.Sub(s.heard) >= lag {
			r.Never, r.Until = false, now.Add(lag)
		}
	}
	return r
}

// get is what is known of circuits. What is not fresh is read first, each once a
// second at most, however many ask; where that fails it stays what it was.
func (k *Keeper) get(ctx context.Context, names []Name) (states []State) {
	done := make(chan struct{})
	unread, reads := k.stale(names, done)
	if len(unread) > 0 {
		go k.refresh(context.WithoutCancel(ctx), unread, done) // others wait for it too
	}
	for _, read := range reads {
		select {
		case <-read:
		case <-ctx.Done():
		}
	}
	for _, n := range names {
		states = append(states, k.last(n))
	}
	return states
}

// stale gives the reads, of those that are not fresh, to wait for. Unread are
// those that nobody reads yet: the caller must refresh them, by done.
func (k *Keeper) stale(names []Name, done chan struct{}) (unread []Name, reads []chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Now()
	for _, n := range names {
		if s, ok := k.known[n]; ok && now.Sub(s.asked) < fresh {
			continue
		}
		if k.reading == nil {
			k.reading = map[Name]chan struct{}{}
		}
		if k.reading[n] == nil {
			k.reading[n] = done
			unread = append(unread, n)
		}
		reads = append(reads, k.reading[n])
	}
	return unread, reads
}

// refresh reads circuits, and closes done.
func (k *Keeper) refresh(ctx context.Context, names []Name, done chan struct{}) {
	defer close(done)
	ctx, stop := context.WithTimeout(ctx, readTime)
	defer stop()
	err := k.read(ctx, names)
	if err != nil {
		k.Log.WarnContext(ctx, "circuits can't be read, so they count as they were", "circuits", len(names), "error", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range names {
		delete(k.reading, n)
		if err != nil {
			as := k.known[n]
			as.Name, as.asked = n, k.Now()
			k.keep(as)
		}
	}
}

// read hears of circuits. Those that are not kept are closed.
func (k *Keeper) read(ctx context.Context, names []Name) error {
	found, err := k.Store.Circuits(ctx, names)
	if err != nil {
		return err
	}
	states := map[Name]State{}
	for _, s := range found {
		states[s.Name] = s
	}
	for _, n := range names {
		s := states[n]
		s.Name = n
		k.hear(s)
	}
	return nil
}

// hear remembers what the store said, unless something newer is known.
func (k *Keeper) hear(s State) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Now()
	old := k.known[s.Name]
	next := known{State: s, heard: now, asked: now, well: old.well, delivered: old.delivered}
	if s.Version < old.Version && now.Sub(old.heard) < lag {
		next.State, next.heard = old.State, old.heard
	}
	if next.NextProbe().Equal(old.NextProbe()) {
		next.refused = old.refused
	}
	k.keep(next)
}

func (k *Keeper) keep(s known) {
	if k.known == nil {
		k.known = map[Name]known{}
	}
	if len(k.known) >= maxKnown && s.asked.Sub(k.forgot) >= fresh {
		maps.DeleteFunc(k.known, func(_ Name, old known) bool { return s.asked.Sub(old.asked) >= fresh })
		k.forgot = s.asked
	}
	k.known[s.Name] = s
}
