package batch

import (
	"context"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

const (
	// hideTime is how long a change of visibility waits for others, so that they
	// are one request, and hideBatch how many a request has ("Amazon SQS quotas").
	hideTime  = 20 * time.Millisecond
	hideBatch = 10
	// recordTime is how long the record of a success waits for others. A process
	// that is killed meanwhile will send again what it has not recorded.
	recordTime = 500 * time.Millisecond
)

// Gathering has what is gathered in a batch written after a while. Its lock is its
// user's too. Settle must be called before the batch ends.
type Gathering struct {
	sync.Mutex
	timer *time.Timer
	under sync.WaitGroup
}

// Soon has write called after d, unless that is to come already. The lock is
// held.
func (g *Gathering) Soon(d time.Duration, write func()) {
	if g.timer != nil {
		return
	}
	g.under.Add(1)
	g.timer = time.AfterFunc(d, func() {
		defer g.under.Done()
		g.Lock()
		g.timer = nil
		g.Unlock()
		write()
	})
}

// Settle calls off what is to come, and waits for what is under way.
func (g *Gathering) Settle() {
	g.Lock()
	if g.timer != nil && g.timer.Stop() {
		g.timer = nil
		g.under.Done()
	}
	g.Unlock()
	g.under.Wait()
}

// visibilities are the messages that are to be hidden, or shown at once.
type visibilities struct {
	Gathering
	waiting []hidden
}

// hidden is a receipt that is not to be received again before a time; zero is
// at once.
type hidden struct {
	receipt string
	until   time.Time
}

// hide gathers changes of visibility. Ten are one request, which goes out at
// once.
func (v *visibilities) hide(b *batch, more []hidden) {
	v.Lock()
	v.waiting = append(v.waiting, more...)
	var full []hidden
	if len(v.waiting) >= hideBatch {
		full, v.waiting = v.waiting, nil
	} else {
		v.Soon(hideTime, func() { v.flush(b) })
	}
	v.Unlock()
	b.change(full)
}

func (v *visibilities) flush(b *batch) {
	v.Lock()
	all := v.waiting
	v.waiting = nil
	v.Unlock()
	b.change(all)
}

func (v *visibilities) finish(b *batch) {
	v.Settle()
	v.flush(b)
}

// change asks the queue. What it refuses comes back when its timeout ends.
func (b *batch) change(all []hidden) {
	if len(all) == 0 {
		return
	}
	now := b.Now()
	hides := make([]message.Hide, len(all))
	for i, h := range all {
		hides[i].ReceiptHandle = h.receipt
		if left := h.until.Sub(now); left > 0 {
			hides[i].For = (left + time.Second - 1).Truncate(time.Second)
		}
	}
	ctx, stop := context.WithTimeout(b.times.marks, writeTime)
	defer stop()
	if err := b.Queue.ChangeVisibility(ctx, hides); err != nil {
		b.Log.WarnContext(b.times.tells, "visibilities were not changed; the messages come back when their timeouts end", "messages", len(all),
			"error", err)
	}
}

// successes are the records of what was sent that are still to be kept.
type successes struct {
	Gathering
	waiting []*Item
}

func (s *successes) add(b *batch, i *Item) {
	s.Lock()
	defer s.Unlock()
	s.waiting = append(s.waiting, i)
	s.Soon(recordTime, func() { s.keep(b) })
}

// keep keeps the records gathered so far. What can't be kept is tried once more
// at the batch's end.
func (s *successes) keep(b *batch) {
	s.Lock()
	items := s.waiting
	s.waiting = nil
	s.Unlock()
	if !b.keepAll(items) {
		s.Lock()
		defer s.Unlock()
		s.waiting = append(s.waiting, items...)
	}
}

// finish keeps the rest. Where that fails the messages are done with all the
// same: a gap in the history beats a second sending.
func (s *successes) finish(b *batch) {
	s.Settle()
	s.keep(b)
	if n := len(s.waiting); n > 0 {
		b.Log.ErrorContext(b.times.tells, "what was sent was not recorded", "messages", n)
	}
}

func (b *batch) keepAll(items []*Item) bool {
	if len(items) == 0 {
		return true
	}
	records := make([]attempt.Record, len(items))
	for n, i := range items {
		records[n] = i.sent
	}
	ctx, stop := b.times.write()
	defer stop()
	if err := b.Attempts.Put(ctx, records); err != nil {
		b.Log.WarnContext(b.times.tells, "records of what was sent were not kept", "messages", len(records), "error", err)
		return false
	}
	for _, i := range items {
		i.recorded = true
	}
	return true
}
