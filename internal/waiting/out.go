package waiting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// ErrTaken says that another gets items out of a place just now.
var ErrTaken = errors.New("another run gets messages out of this place of the waiting room just now; try again in two minutes")

// errLost: what was read may have been sent by another since.
var errLost = errors.New("its lease ended while it was held; the next run goes on")

// Places is what getting items out of their places takes, as Store promises.
type Places interface {
	Enter(ctx context.Context, item Item) (State, error)
	In(ctx context.Context, place Place, from string, limit int) ([]Item, error)
	Settle(ctx context.Context, items []Item, as State) error
	Lease(ctx context.Context, place Place, holder string, now, until time.Time) (bool, error)
	Unlease(ctx context.Context, place Place, holder string) error
}

// Outgoing is a message that goes back to its queue.
type Outgoing struct {
	Body       string
	Group      string
	Attributes map[string]message.Attribute
	// Delay is how long SQS holds it back: 0 to 15 minutes, in whole seconds.
	Delay time.Duration
}

// Sender sends messages to queues. It is used by many goroutines at once.
type Sender interface {
	// Send sends messages to a queue, named without the stack's prefix. It
	// returns which of them, by index, are in the queue for certain; with an
	// error, any of the others may be there too.
	Send(ctx context.Context, queue string, messages []Outgoing) (sent []int, err error)
}

// SendOne sends one message. After an error it may be in the queue all the same.
func SendOne(ctx context.Context, to Sender, queue string, m Outgoing) error {
	sent, err := to.Send(ctx, queue, []Outgoing{m})
	if err == nil && len(sent) == 0 {
		err = fmt.Errorf("the queue %s did not take it", queue)
	}
	return err
}

const (
	// leaseTime is how long a place is held: longer than one batch may take.
	leaseTime = 90 * time.Second
	// sendTime, markTime and giveTime are how long sending a batch, marking what
	// was sent, and giving the place back may take, whatever becomes of who asked.
	sendTime, markTime, giveTime = 8 * time.Second, 5 * time.Second, time.Second
	// batchSize is how many items are held in memory, of up to 1 MiB each.
	batchSize = 50
)

// Exit gets items out of the room, those of a place under its lease. The
// order is: send, then mark. Between the two a crash leads to a second send; an
// error does not, as long as this Exit lives. It may be used by many goroutines
// at once.
type Exit struct {
	Places Places
	Sender Sender
	Now    func() time.Time
	// Holder is who holds the leases. No other Exit that is in use has the same;
	// one that follows after this one's end may, and need not wait for them.
	Holder string

	mu sync.Mutex
	// busy are the places that this Exit is at.
	busy     map[Place]bool
	unmarked unmarked
	begins   begins
}

// visit is one stay at places.
type visit struct {
	*Exit
	places []Place
	leased []Place   // those of which it may have the lease
	until  time.Time // the leases' end
	gone   Gone
	// failed are the items whose sending failed: they stay for the next visit.
	failed map[string]bool
	// overdue is how many that were overdue went so far.
	overdue int
}

// at has do visit places, none of which is taken twice at once.
func (e *Exit) at(ctx context.Context, places []Place, do func(*visit) error) error {
	if !e.take(places) {
		return fmt.Errorf("%s: %w", places[0], ErrTaken)
	}
	defer e.leave(places)
	v := &visit{Exit: e, places: places, failed: map[string]bool{}}
	err := do(v)
	err = errors.Join(err, v.giveBack(ctx))
	if err != nil {
		return fmt.Errorf("the waiting room's place %s: %w", places[0], err)
	}
	return nil
}

func (e *Exit) take(places []Place) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, place := range places {
		if e.busy[place] {
			return false
		}
	}
	if e.busy == nil {
		e.busy = map[Place]bool{}
	}
	for _, place := range places {
		e.busy[place] = true
	}
	return true
}

func (e *Exit) leave(places []Place) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, place := range places {
		delete(e.busy, place)
	}
}

// lease takes the places, or goes on holding them.
func (v *visit) lease(ctx context.Context) error {
	again, now := len(v.leased) > 0, v.Now()
	v.until = now.Add(leaseTime)
	for n, place := range v.places {
		ok, err := v.Places.Lease(ctx, place, v.Holder, now, v.until)
		if ok || err != nil {
			v.leased = v.places[:max(n+1, len(v.leased))]
		}
		switch {
		case err != nil:
			return fmt.Errorf("take its lease: %w", err)
		case ok:
		case again:
			return errLost
		default:
			return ErrTaken
		}
	}
	return nil
}

// holds reports whether the leases last until what is sent now has arrived.
func (v *visit) holds() bool { return !v.Now().Add(sendTime).After(v.until) }

// giveBack ends the leases. Where it can't, they end by themselves.
func (v *visit) giveBack(ctx context.Context) (err error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), giveTime)
	defer stop()
	for _, place := range v.leased {
		if e := v.Places.Unlease(ctx, place, v.Holder); e != nil {
			err = errors.Join(err, fmt.Errorf("give the lease of %s back: %w", place, e))
		}
	}
	return err
}

// Swept tells the Exit that nothing waits in the places before a minute.
func (e *Exit) Swept(minute time.Time) { e.unmarked.removeBefore(minute) }
