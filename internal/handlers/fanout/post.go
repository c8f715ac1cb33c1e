package fanout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
)

// post is what the events of a batch share: the endpoints of their tenants, which are
// read once, and the sending of their messages, which go together.
type post struct {
	needs *Needs

	mu      sync.Mutex
	rosters map[string]func() ([]*endpoint.Ready, error)
	// expected is how many events have not said yet what they send; all is closed when
	// everybody has and what they send was sent.
	expected int
	letters  []letter
	all      chan struct{}
}

// letter is a message to be sent.
type letter struct {
	of *fan
	to string
}

// endpoints are a tenant's as they were when the batch was received, or later.
func (p *post) endpoints(ctx context.Context, tenant string) ([]*endpoint.Ready, error) {
	p.mu.Lock()
	read := p.rosters[tenant]
	if read == nil {
		read = sync.OnceValues(func() ([]*endpoint.Ready, error) { return p.needs.Endpoints.Of(ctx, tenant) })
		p.rosters[tenant] = read
	}
	p.mu.Unlock()
	return read()
}

// expect announces an event that is going to call send, or none.
func (p *post) expect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected++
}

// none says that an event that was expected sends nothing.
func (p *post) none(ctx context.Context) { p.join(ctx, nil, nil) }

// send sends an event to its recipients, together with what the others send, and says
// why not all of its messages are in the queue for certain.
func (p *post) send(ctx context.Context, f *fan, recipients []string) error {
	p.join(ctx, f, recipients)
	<-p.all
	return f.unsent
}

// join takes an event's messages in. The last one to come sends those of all.
func (p *post) join(ctx context.Context, f *fan, recipients []string) {
	p.mu.Lock()
	for _, to := range recipients {
		p.letters = append(p.letters, letter{f, to})
	}
	p.expected--
	last := p.expected == 0
	p.mu.Unlock()
	if last {
		p.sendAll(ctx)
		close(p.all)
	}
}

// inMemory is how many bytes of messages are made at a time: an event of 1 MiB to
// many endpoints would fill a function's memory.
const inMemory = 8 << 20

// sendAll sends all letters, in the order in which they came.
func (p *post) sendAll(ctx context.Context) {
	for from, size := 0, 0; from < len(p.letters); size = 0 {
		to := from
		for to < len(p.letters) && (to == from || size+p.letters[to].of.event.Size() <= inMemory) {
			size += p.letters[to].of.event.Size()
			to++
		}
		p.sendSome(ctx, p.letters[from:to])
		from = to
	}
}

const (
	// tries is how often a message is tried to be sent in one invocation, and pauses
	// are between them.
	tries = 3
	pause = 100 * time.Millisecond
)

// sendSome sends some letters, and what was refused of them again.
func (p *post) sendSome(ctx context.Context, letters []letter) {
	for try := 1; ; try++ {
		messages := make([]waiting.Outgoing, len(letters))
		for n, l := range letters {
			messages[n] = l.of.message(l.to)
		}
		sent, err := p.needs.Sender.Send(ctx, "webhooks", messages)
		if letters = without(letters, sent); len(letters) == 0 {
			return
		}
		if try == tries || !wait(ctx, pause<<(try-1)) {
			for _, l := range letters {
				l.of.unsent = errors.Join(err, fmt.Errorf("to %s", l.to))
			}
			return
		}
	}
}

func without(letters []letter, sent []int) (left []letter) {
	gone := map[int]bool{}
	for _, n := range sent {
		gone[n] = true
	}
	for n, l := range letters {
		if !gone[n] {
			left = append(left, l)
		}
	}
	return left
}

// wait reports whether the time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
