package waiting

import (
	"sync"
	"time"
)

const (
	// beginsFor is how long what waits for a circuit is taken to begin where it did:
	// older ones that come in meanwhile go out later by that.
	beginsFor = 15 * time.Minute
	// fresh is how old what comes in may be to be seen at once where nothing waits.
	fresh = time.Hour
)

// begins remember where, in the places of circuits, what waits begins. What went
// before it has left its mark there for Retention, and a store may have to read all
// of the marks: a million in one place, each time that a few go.
type begins struct {
	mu sync.Mutex
	at map[Place]begin
}

type begin struct {
	position string
	// anew is when the place was last read from its beginning.
	anew time.Time
}

// of is from where to read a place; empty for its beginning.
func (b *begins) of(place Place, now time.Time) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.at[place].anew) >= beginsFor {
		delete(b.at, place)
	}
	return b.at[place].position
}

// read remembers what was read of a place from a position.
func (b *begins) read(place Place, from string, items []Item, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == nil {
		b.at = map[Place]begin{}
	}
	at := b.at[place]
	if from == "" {
		at = begin{now.Add(-fresh).UTC().Format(positionTime), now}
	}
	if len(items) > 0 {
		at.position = items[0].Position()
	}
	b.at[place] = at
}

// forget has places read from their beginnings.
func (b *begins) forget(places []Place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, place := range places {
		delete(b.at, place)
	}
}
