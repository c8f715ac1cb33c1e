package writelog

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// Queues is a sqsserver.Store with a log before it.
type Queues struct {
	writeLog[sqsserver.Changes, *fold]
	behind sqsserver.Store
	part   int // partCount, but in tests
}

// OpenQueues opens the log of the queues in the data file at path, as writeLog.open has
// it.
func OpenQueues(ctx context.Context, path, id string, behind sqsserver.Store, o Options) (*Queues, error) {
	q := &Queues{behind: behind, part: partCount}
	q.what, q.begin, q.give = "queues", newFold, q.giveParts
	if err := q.open(ctx, path+"-log", id, o); err != nil {
		return nil, err
	}
	return q, nil
}

// Load is the store's behind, which has all when OpenQueues returns.
func (q *Queues) Load(ctx context.Context, into sqsserver.Loader) error {
	return q.behind.Load(ctx, into)
}

// Apply appends the changes to the log. Those of queues themselves, which are
// rare, go through it to the store behind.
func (q *Queues) Apply(ctx context.Context, c *sqsserver.Changes) error {
	if len(c.PutQueues) > 0 || len(c.DeleteQueues) > 0 {
		return q.applyBehind(ctx, c)
	}
	return q.append(c)
}

// applyBehind applies changes to the store behind, once it has all of before.
func (q *Queues) applyBehind(ctx context.Context, c *sqsserver.Changes) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.settling {
		q.ended.Wait()
	}
	q.settling = true
	defer func() { q.settling = false; q.ended.Broadcast() }()
	if err := q.flushAll(ctx); err != nil {
		return err
	}
	return q.behind.Apply(ctx, c)
}

// Messages reads from the store behind, and lays over it what that has not yet.
func (q *Queues) Messages(ctx context.Context, keys []int64) (found map[int64]sqsserver.StoredMessage, err error) {
	err = q.read(func() (err error) {
		found, err = q.behind.Messages(ctx, keys)
		return err
	}, func(f *fold) { f.lay(found, keys) })
	return found, err
}

// giveTime is how long the store behind has for one part of a flush.
const giveTime = time.Minute

func (q *Queues) giveParts(ctx context.Context, f *fold) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), giveTime)
	defer stop()
	for changes := range f.parts(q.part) {
		if err := q.behind.Apply(ctx, changes); err != nil {
			return err
		}
	}
	return nil
}
