package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

const (
	// atFirst is how many exchanges with an endpoint are in flight at once before it
	// has answered any of them: as many as a batch has by default, so that one that
	// is well waits for nothing.
	atFirst = 10
	// silence is how long an endpoint may answer nothing until no more than atFirst
	// are sent to it, and how long a message waits for its turn at most.
	silence = time.Second
)

// turns bound how many exchanges each endpoint may have in flight in this process.
// One that hangs holds few of its connections and invocations until its circuit
// opens, which takes as long as an exchange may; one that is well may have one more
// with each answer. It is used by many goroutines at once.
type turns struct {
	// places is how many exchanges the process may make at once, 0 without a bound.
	// An endpoint that has any in flight gets another only while it has less than
	// half as many as there are places left: so some always are, for the others.
	// (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
	// packet switches", 1998.)
	places int

	mu    sync.Mutex
	taken int
	lines map[circuit.Name]*line
}

// line is an endpoint that has exchanges in flight.
type line struct {
	flying, most int
	// heard is when it last answered, or else when the first of them was sent.
	heard   time.Time
	waiting []chan struct{}
}

func newTurns(places int) *turns { return &turns{places: places, lines: map[circuit.Name]*line{}} }

// hopeless reports whether there is no turn to be had soon.
func (t *turns) hopeless(of circuit.Name) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[of]
	return l != nil && l.silent() && !t.open(l)
}

// take waits for a turn, for silence at most. It reports whether the turn has come,
// and whether that took waiting. Who has one must give it back.
func (t *turns) take(ctx context.Context, of circuit.Name) (ok, waited bool) {
	turn := t.join(of)
	if turn == nil {
		return true, false
	}
	ctx, stop := context.WithTimeout(ctx, silence)
	defer stop()
	select {
	case <-turn:
		return true, true
	case <-ctx.Done():
		return !t.leave(of, turn), true
	}
}

// join takes a turn that can be had now, and gives nil; or else puts the caller in
// line for one, which has come once the channel is closed.
func (t *turns) join(of circuit.Name) (turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[of]
	if l == nil {
		l = &line{most: atFirst, heard: time.Now()}
		t.lines[of] = l
	}
	t.admit(l) // others may have given places back meanwhile
	if t.open(l) {
		t.enter(l)
		return nil
	}
	turn = make(chan struct{})
	l.waiting = append(l.waiting, turn)
	return turn
}

// leave reports whether the caller was still in line: else its turn has come.
func (t *turns) leave(of circuit.Name, turn chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[of] // there is one as long as somebody waits, or has a turn
	i := slices.Index(l.waiting, turn)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

// give gives a turn back: answered says that the endpoint has made something of it.
func (t *turns) give(of circuit.Name, answered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[of]
	l.flying--
	t.taken--
	if answered {
		l.most++
		l.heard = time.Now()
	}
	t.admit(l)
	if l.flying == 0 {
		delete(t.lines, of)
	}
}

// admit gives those who wait their turns, first come, first served.
func (t *turns) admit(l *line) {
	for len(l.waiting) > 0 && t.open(l) {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		t.enter(l)
	}
}

func (t *turns) enter(l *line) {
	l.flying++
	t.taken++
}

// open reports whether one more may be sent.
func (t *turns) open(l *line) bool {
	switch {
	case l.flying == 0:
		return true
	case t.places > 0 && 2*l.flying >= t.places-t.taken:
		return false
	case l.flying < atFirst:
		return true
	}
	return l.flying < l.most && !l.silent()
}

func (l *line) silent() bool { return time.Since(l.heard) >= silence }
