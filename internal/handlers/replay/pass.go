package replay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/claim"
)

// workers is how many receives of one pass are under way at a time.
const workers = 16

// pass is one walk through a dead-letter queue. What it has looked at stays
// hidden until it ends, so that it meets every message once.
type pass struct {
	*Handler
	queue *Queue
	// turn is the claim that lets one pass at a time into a queue.
	turn claim.Claim
	// client ends when nobody waits for the answer any more. The pass itself
	// works in work, which outlives that, so that nothing is left half done.
	client, work context.Context
	stopWork     context.CancelFunc
	// hide is how long what it receives stays hidden, unless it is given back.
	hide time.Duration
	// deadline is when it gives up.
	deadline time.Time
	// from is where the former requests of the same pass left off.
	from passCursor
	// look looks at messages and returns those to be held back until the end.
	// It is called by several goroutines at once.
	look func([]events.SQSMessage) ([]events.SQSMessage, error)

	mu       sync.Mutex
	held     []events.SQSMessage
	examined int
	running  int
	stopped  bool
	cut      bool // the time was over before nothing more came
	err      error
	all      sync.WaitGroup
}

// end is how a pass ended.
type end int

const (
	whole      end = iota // every message was looked at
	stopped               // look asked for it
	othersHold            // all but those that somebody else keeps hidden
	unfinished            // the time was over
)

// errStop is what look returns when the pass may end.
var errStop = errors.New("found")

// run walks through the queue. With patience it waits for messages that others
// hold, for as long as it may.
func (p *pass) run(patience bool) (end, error) {
	for {
		p.sweep()
		switch {
		case errors.Is(p.err, errStop):
			return stopped, nil
		case p.err != nil:
			return stopped, p.err
		case p.cut:
			return unfinished, nil
		}
		// Nothing more came. A short poll may miss some; a long one does not.
		messages, err := p.queue.Letters.Receive(p.work, p.hide, time.Second)
		if err != nil {
			return stopped, api.Unavailable("the queue can't be read", err)
		}
		if len(messages) > 0 {
			p.examine(messages)
			continue
		}
		others, err := p.others()
		if err != nil {
			return stopped, err
		}
		if others <= 0 {
			return whole, nil
		}
		if !patience || p.late() {
			return othersHold, nil
		}
	}
}

// others is about how many messages somebody else holds.
func (p *pass) others() (int, error) {
	count, err := p.queue.Letters.Count(p.work)
	if err != nil {
		return 0, api.Unavailable("the queue can't be counted", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// Which of them are visible SQS may say a minute late.
	return count.Visible + count.Hidden - len(p.held) - p.from.heldAt(p.Now()), nil
}

// late reports whether the pass has to end.
func (p *pass) late() bool { return p.client.Err() != nil || !p.Now().Before(p.deadline) }

// sweep receives until nothing more comes. It begins with one worker; each full
// batch calls another one, so that a short queue costs few requests.
func (p *pass) sweep() {
	p.mu.Lock()
	p.spawn()
	p.mu.Unlock()
	p.all.Wait()
}

func (p *pass) spawn() {
	if p.running == workers {
		return
	}
	p.running++
	p.all.Go(func() {
		p.receive()
		p.mu.Lock()
		p.running--
		p.mu.Unlock()
	})
}

func (p *pass) receive() {
	for !p.over() {
		messages, err := p.queue.Letters.Receive(p.work, p.hide, 0)
		if err != nil {
			p.stop(api.Unavailable("the queue can't be read", err))
			return
		}
		if len(messages) == 0 {
			return
		}
		if len(messages) == 10 {
			p.mu.Lock()
			p.spawn()
			p.mu.Unlock()
		}
		p.examine(messages)
	}
}

// over reports whether no more is to be received.
func (p *pass) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = p.cut || p.late()
	return p.stopped || p.cut
}

func (p *pass) examine(messages []events.SQSMessage) {
	hold, err := p.look(messages)
	p.hold(hold)
	p.mu.Lock()
	p.examined += len(messages)
	p.mu.Unlock()
	if err != nil {
		p.stop(err)
	}
}

func (p *pass) hold(messages []events.SQSMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, messages...)
}

// stop ends the pass; the first reason counts, but having found what was
// sought counts more.
func (p *pass) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.err == nil || errors.Is(err, errStop) {
		p.err = err
	}
}
