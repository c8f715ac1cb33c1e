package replay

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

const (
	// drainTime is how long after the end of its last attempt a message may need
	// to reach the dead-letter queue; no attempt takes longer than longestAttempt.
	drainTime      = 30 * time.Second
	longestAttempt = time.Minute
	// reads is how many histories are read at a time.
	reads = 16
)

// fate is what has become of a message since it failed for good.
type fate int

const (
	parked    fate = iota // as far as is known it is in the dead-letter queue
	dealtWith             // it was replayed, discarded, or tried again, for certain
	moved                 // a move task took it
	doubtful              // it may have been taken, and SQS's count must say
)

// fates knows the fate of failures by what is recorded of them: the claims tell
// what was replayed or discarded, SQS what its tasks have emptied, and the
// attempts what came back of the tasks that took a part. That others of its
// origin were tried since proves nothing: a release or a replay that died before
// it knew that it had sent makes two messages of one, and both may be here.
type fates struct {
	*Handler
	queue *Queue
	// tasks are the move tasks that took messages, oldest first.
	tasks []deadletter.Move
	// What was read for a page of failures: their pasts by webhook id, and the
	// claims by message id.
	pasts  map[string]*past
	claims map[string]claim.Claim
}

// past is what was done under one webhook id.
type past struct {
	records []attempt.Record
	lives   []life
	// latest is when the last attempt of each message was made, newest when the
	// first one was of the newest message of each origin.
	latest, newest map[string]time.Time
	// origins are the messages' origins, those that can be true.
	origins map[string]string
	// back are the dead messages that came back from a move task, by message id.
	back map[string]bool
}

func newPast(records []attempt.Record) *past {
	records = unforged(records)
	p := &past{records: records, lives: livesIn(records), latest: map[string]time.Time{}, newest: map[string]time.Time{},
		origins: map[string]string{}}
	for _, l := range p.lives {
		id, origin := l.last.MessageID, l.last.OriginID()
		p.latest[id], p.origins[id] = l.last.At, origin
		if l.first.At.After(p.newest[origin]) {
			p.newest[origin] = l.first.At
		}
	}
	return p
}

// tasksThatMoved are the tasks that may have taken messages, oldest first.
func tasksThatMoved(all []deadletter.Move) (took []deadletter.Move) {
	for _, m := range all {
		if m.Moved > 0 || !cutShort(m) {
			took = append(took, m)
		}
	}
	slices.SortFunc(took, func(a, b deadletter.Move) int { return a.Started.Compare(b.Started) })
	return took
}

// emptied is when the last task began that came to its end: it has taken all
// that was in the queue by then. It is zero if there was none.
func (f *fates) emptied() time.Time {
	for _, m := range slices.Backward(f.tasks) {
		if m.Status == deadletter.Completed {
			return m.Started
		}
	}
	return time.Time{}
}

// of is the fate of a failure, one of those last read.
func (f *fates) of(failure attempt.Record) fate {
	switch {
	case f.isDealtWith(failure):
		return dealtWith
	case f.pasts[failure.WebhookID].back[failure.MessageID]:
		return moved
	case arrived(failure).Before(f.emptied()):
		return moved
	case len(f.tasks) > 0 && failure.At.Before(f.tasks[len(f.tasks)-1].Started),
		f.pasts[failure.WebhookID].another(failure):
		return doubtful
	}
	return parked
}

// arrived is when a failed message was in the dead-letter queue, at the latest.
func arrived(failure attempt.Record) time.Time {
	return failure.At.Add(time.Duration(failure.DurationMS)*time.Millisecond + drainTime)
}

// isDealtWith reports whether a failed message was replayed or discarded since,
// or tried again.
func (f *fates) isDealtWith(failure attempt.Record) bool {
	if c, ok := f.claims[failure.MessageID]; ok && c.Settled && !c.At.Before(failure.At) {
		return true
	}
	return f.pasts[failure.WebhookID].latest[failure.MessageID].After(failure.At)
}

// history are the attempts of the message that failed, before replays too.
func (f *fates) history(failure attempt.Record) []attempt.Record {
	p := f.pasts[failure.WebhookID]
	return attempt.OfOrigin(p.records, p.origins[failure.MessageID])
}

// another reports whether a message of the same origin was first tried after the
// failure.
func (p *past) another(failure attempt.Record) bool {
	return p.newest[p.origins[failure.MessageID]].After(failure.At)
}

// read reads what tells the fates of a page of failures. One webhook id may be
// that of many: its past is read once, and kept for the next page.
func (f *fates) read(ctx context.Context, failures []attempt.Record) error {
	if err := f.readPasts(ctx, failures); err != nil {
		return err
	}
	ask := map[string]bool{}
	for _, r := range failures {
		ask[r.MessageID] = true
	}
	for _, p := range f.pasts {
		if len(f.tasks) == 0 {
			break
		}
		for _, l := range p.lives {
			if l.dead() {
				ask[l.last.MessageID] = true
			}
		}
	}
	if err := f.readClaims(ctx, slices.Collect(maps.Keys(ask))); err != nil {
		return err
	}
	for _, p := range f.pasts {
		p.back = cameBack(p.lives, f.tasks, f.isDealtWith)
	}
	return nil
}

func (f *fates) readPasts(ctx context.Context, failures []attempt.Record) error {
	known := f.pasts
	f.pasts = map[string]*past{}
	var ids []string
	for _, r := range failures {
		if f.pasts[r.WebhookID] = known[r.WebhookID]; f.pasts[r.WebhookID] == nil && !slices.Contains(ids, r.WebhookID) {
			ids = append(ids, r.WebhookID)
		}
	}
	found := make([][]attempt.Record, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(reads)
	for i, id := range ids {
		g.Go(func() (err error) { found[i], err = f.History.OfWebhook(ctx, id); return err })
	}
	if err := g.Wait(); err != nil {
		return api.Unavailable("the attempts can't be read", err)
	}
	for i, id := range ids {
		f.pasts[id] = newPast(found[i])
	}
	return nil
}

func (f *fates) readClaims(ctx context.Context, ids []string) error {
	f.claims = map[string]claim.Claim{}
	for some := range slices.Chunk(ids, 100) {
		claims, err := f.Claims.ClaimsOn(ctx, f.queue.Name, some)
		if err != nil {
			return api.Unavailable("the claims can't be read", err)
		}
		for _, c := range claims {
			f.claims[c.ItemID] = c
		}
	}
	return nil
}
