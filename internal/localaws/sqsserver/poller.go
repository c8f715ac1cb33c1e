package sqsserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// maxPoll is how many messages a Poller may receive at once.
const maxPoll = 10_000

// Poller is the engine as this process's own consumers use it. What they
// receive is leased: when the process dies, the next Open makes it visible at
// once, with its receive count, instead of after its visibility timeout. A
// visibility change ends the lease, so that a retry that was scheduled keeps
// its time; one to 0 does what the next Open would, and is not written.
type Poller struct{ *Engine }

// Poller gives a view of e whose receives are leases.
func (e *Engine) Poller() *Poller { return &Poller{e} }

// ReceiveMessage is the engine's, for up to 10,000 messages at once.
func (p *Poller) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	return p.receiveSome(ctx, &receiveInput{in, given(in.MaxNumberOfMessages), given(in.VisibilityTimeout), given(in.WaitTimeSeconds)},
		maxPoll, true)
}

// Release makes visible what is still leased, by any Poller of the engine.
// Call it when the consumers have ended. When it fails, the next Open does the
// same.
func (p *Poller) Release(ctx context.Context) error {
	p.mu.RLock()
	queues := slices.Collect(maps.Values(p.queues))
	p.mu.RUnlock()
	var errs []error
	for _, q := range queues {
		changes := q.release(p.Engine)
		if len(changes.SetStates) == 0 {
			continue
		}
		if err := p.apply(ctx, changes); err != nil {
			errs = append(errs, fmt.Errorf("release what was received from %s: %w", q.name, err))
		}
	}
	return errors.Join(errs...)
}

func (q *queue) release(e *Engine) *Changes {
	now := e.now()
	changes := &Changes{}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	var leased []*message
	for _, entry := range q.timed.entries {
		if entry.m.leased {
			leased = append(leased, entry.m)
		}
	}
	for _, m := range leased {
		m.visibleAt = now
		q.become(m, ready)
		changes.SetStates = append(changes.SetStates, m.stateRecord())
	}
	q.wake(e.clock)
	return changes
}
