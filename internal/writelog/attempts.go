package writelog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/report/onward"
)

// Records is the store behind Attempts.
type Records interface {
	attempt.Store
	attempt.OfEndpoints
	attempt.Reports
	onward.Store
	Failures
}

// Failures is the index of failures, as replay.Failures has it.
type Failures interface {
	NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error)
	ForgetFailures(ctx context.Context, records []attempt.Record) error
}

// Attempts are Records with a log before them. What is reported of an attempt is kept
// in the store behind alone, and never before the attempt's record.
type Attempts struct {
	writeLog[[]attempt.Record, *records]
	behind Records
}

// OpenAttempts opens the log of the attempts in the data file at path, as writeLog.open
// has it.
func OpenAttempts(ctx context.Context, path, id string, behind Records, o Options) (*Attempts, error) {
	a := &Attempts{behind: behind}
	a.what, a.begin, a.give = "attempts", newRecords, a.giveParts
	if err := a.open(ctx, path+"-attempts", id, o); err != nil {
		return nil, err
	}
	return a, nil
}

// Put is as attempt.Store has it.
func (a *Attempts) Put(_ context.Context, records []attempt.Record) error {
	if len(records) == 0 {
		return nil
	}
	return a.append(&records)
}

// OfMessage is as attempt.Store has it.
func (a *Attempts) OfMessage(ctx context.Context, webhookID, messageID string) (found []attempt.Record, err error) {
	err = a.read(func() (err error) {
		found, err = a.behind.OfMessage(ctx, webhookID, messageID)
		return err
	}, func(f *records) {
		found = f.lay(found, webhookID, func(r attempt.Record) bool { return r.MessageID == messageID })
	})
	return found, err
}

// OfWebhook is as attempt.Store has it.
func (a *Attempts) OfWebhook(ctx context.Context, webhookID string) (found []attempt.Record, err error) {
	err = a.read(func() (err error) {
		found, err = a.behind.OfWebhook(ctx, webhookID)
		return err
	}, func(f *records) {
		found = f.lay(found, webhookID, func(attempt.Record) bool { return true })
	})
	return found, err
}

// NewestOfEndpoint is as attempt.OfEndpoints has it.
func (a *Attempts) NewestOfEndpoint(ctx context.Context, endpoint string, from, before attempt.Position, limit int) ([]attempt.Record,
	error) {
	if err := a.bring(ctx); err != nil {
		return nil, err
	}
	return a.behind.NewestOfEndpoint(ctx, endpoint, from, before, limit)
}

// NewestFailures is the store's behind, of all that was put.
func (a *Attempts) NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error) {
	if err := a.bring(ctx); err != nil {
		return nil, err
	}
	return a.behind.NewestFailures(ctx, queue, from, before, limit)
}

// ForgetFailures is the store's behind, of all that was put.
func (a *Attempts) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	if err := a.bring(ctx); err != nil {
		return err
	}
	return a.behind.ForgetFailures(ctx, records)
}

// recordsAtOnce is how many records are given at a time. Who reads an attempt's history
// or an endpoint waits for the data file meanwhile, and has three seconds: on a machine
// that is a hundred times slower than a quiet one, 2,000 took longer. With fewer, each
// touches as many pages of the index by endpoint as it would by itself.
const recordsAtOnce = 100

func (a *Attempts) giveParts(ctx context.Context, f *records) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), giveTime)
	defer stop()
	for part := range slices.Chunk(f.all, recordsAtOnce) {
		if err := a.behind.Put(ctx, part); err != nil {
			return fmt.Errorf("%d records: %w", len(part), err)
		}
	}
	return nil
}

// records are those of many calls, in their order. Which of two of one attempt is kept
// is decided where they are read, or given.
type records struct {
	all []attempt.Record
	// last is where the last one of a webhook id is, and before where the one before
	// each, both counted from 1; 0 is nowhere.
	last   map[string]int
	before []int
}

func newRecords() *records { return &records{last: map[string]int{}} }

func (f *records) add(c *[]attempt.Record) {
	for _, r := range *c {
		r = r.Own()
		r.FailedChannels = slices.Clone(r.FailedChannels) // the caller's
		f.all, f.before = append(f.all, r), append(f.before, f.last[r.WebhookID])
		f.last[r.WebhookID] = len(f.all)
	}
}

// lay brings what the store behind found of a webhook id, in order, to what f makes of
// it, of what is wanted.
func (f *records) lay(found []attempt.Record, webhookID string, wanted func(attempt.Record) bool) []attempt.Record {
	var more []attempt.Record
	for n := f.last[webhookID]; n > 0; n = f.before[n-1] {
		if wanted(f.all[n-1]) {
			more = append(more, f.all[n-1])
		}
	}
	if len(more) == 0 {
		return found
	}
	slices.Reverse(more)
	all := append(found, more...)
	slices.SortStableFunc(all, func(a, b attempt.Record) int { return cmp.Compare(a.SortKey(), b.SortKey()) })
	kept := all[:1]
	for _, r := range all[1:] {
		last := &kept[len(kept)-1]
		switch {
		case r.SortKey() != last.SortKey():
			kept = append(kept, r)
		case r.Verdict.Rank() >= last.Verdict.Rank():
			*last = reported(r, last.Report)
		}
	}
	return kept
}

// reported is r with what the store behind knows was reported of it.
func reported(r attempt.Record, rep *attempt.Report) attempt.Record {
	if rep == nil {
		return r
	}
	return r.With(*rep)
}

// holds reports whether a record of the same attempt is among them.
func (f *records) holds(r attempt.Record) bool {
	for n := f.last[r.WebhookID]; n > 0; n = f.before[n-1] {
		if f.all[n-1].SortKey() == r.SortKey() {
			return true
		}
	}
	return false
}
