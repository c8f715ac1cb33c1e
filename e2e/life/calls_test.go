package life

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault is how a call goes wrong.
type fault string

const (
	works       fault = ""
	fails       fault = "it fails"
	failsButHas fault = "it fails, and has its effect all the same"
	crash       fault = "the process dies before it"
	crashAfter  fault = "the process dies after it"
)

var faults = []fault{fails, failsButHas, crash, crashAfter}

// site is one call of a life: the nth, from 1, of all that are called so. Names
// hold no ids, so that a site is found again in another run of the same life.
type site struct {
	what string
	nth  int
}

func (s site) String() string { return fmt.Sprintf("%s (%d)", s.what, s.nth) }

var (
	errFault = errors.New("injected fault")
	errDead  = errors.New("the process is dead")
)

// process is what dies as a whole: one invocation of a function, one poll of
// Lambda's, one request to the API. Every call tells by its context whose it is.
type process struct {
	name string
	mu   sync.Mutex
	dead bool
	// intents counts what the ledger was told by this process and is not sent
	// yet, by webhook-id.
	intents map[string]int
}

type processKey struct{}

func start(name string) (context.Context, *process) {
	p := &process{name: name, intents: map[string]int{}}
	return context.WithValue(context.Background(), processKey{}, p), p
}

func processOf(ctx context.Context) *process { return ctx.Value(processKey{}).(*process) }

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
}

// outage is a time in which all calls whose name begins so fail.
type outage struct {
	what        string
	from, until time.Time
}

// line is one of what is shown where a check fails.
type line struct {
	at   time.Time
	what string
	f    fault
}

func (l line) String() string {
	return fmt.Sprintf("%s  %s  %s", l.at.Format("02 15:04:05.000"), l.what, l.f)
}

// calls are those of one world, in their order, and what goes wrong.
type calls struct {
	now     func() time.Time
	mu      sync.Mutex
	log     []line
	sites   []site
	count   map[string]int
	faults  map[site]fault
	outages []outage
	// hit are the faults that have happened.
	hit []site
	// during is called once, in the middle of the call at its site: before its
	// effect.
	during map[site]func()
}

// do makes a call of the process that ctx is of, or has it go wrong.
func (c *calls) do(ctx context.Context, what string, effect func() error) error {
	p := processOf(ctx)
	if p.isDead() {
		return errDead
	}
	f, during := c.enter(p, what)
	if during != nil {
		during()
	}
	if f == crash || f == crashAfter {
		defer p.die()
	}
	switch f {
	case fails:
		return errFault
	case crash:
		return errDead
	}
	err := effect()
	if err == nil && f != works {
		err = errFault
	}
	if err != nil {
		c.note("    %s: %v", what, err)
	}
	return err
}

// enter numbers a call and says how it goes.
func (c *calls) enter(p *process, what string) (f fault, during func()) {
	what = p.name + ": " + what
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passedOver(what) {
		return works, nil
	}
	c.count[what]++
	s := site{what, c.count[what]}
	c.sites = append(c.sites, s)
	f = c.faults[s]
	if f != works {
		c.hit = append(c.hit, s)
	}
	if slices.ContainsFunc(c.outages, func(o outage) bool {
		return strings.Contains(what, o.what) && !now.Before(o.from) && now.Before(o.until)
	}) {
		f = fails
	}
	c.log = append(c.log, line{now, what, f})
	during = c.during[s]
	delete(c.during, s)
	return f, during
}

// some is how many calls that find nothing are numbered, of each name: there are
// many, and one is like the other.
const some = 3

func (c *calls) passedOver(what string) bool {
	return strings.Contains(what, "empty") && c.count[what] >= some
}

// made is how many calls were numbered so far.
func (c *calls) made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sites)
}

// note adds a line to what is shown where a check fails.
func (c *calls) note(format string, args ...any) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, line{at: now, what: fmt.Sprintf(format, args...)})
}
