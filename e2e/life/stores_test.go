package life

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// stores is storetest.Memory with every call numbered. It watches that no
// record settles less than the one before it, and that no number of an attempt
// is given to another.
type stores struct {
	storetest.Memory
	w  *world
	mu sync.Mutex
	// ids are the webhook-ids of all records, waits what waits in the room.
	ids   map[string]bool
	waits map[string]waiting.Item
}

func named(r attempt.Record) string {
	text := fmt.Sprintf("%d %s", r.Attempt, r.Verdict)
	if r.Waiting {
		text += " waiting"
	}
	if r.Untold {
		text += " untold"
	}
	return text
}

func (s *stores) Put(ctx context.Context, records []attempt.Record) error {
	var names []string
	for _, r := range records {
		names = append(names, named(r))
	}
	return s.w.calls.do(ctx, "put "+strings.Join(names, ", "), func() error {
		if s.w.crowd {
			return s.Memory.Put(ctx, records)
		}
		before := make([]*attempt.Record, len(records))
		for i, r := range records {
			before[i] = s.find(r)
		}
		if err := s.Memory.Put(ctx, records); err != nil {
			return err
		}
		for i, r := range records {
			s.compare(before[i], r)
			s.known(r.WebhookID)
		}
		return nil
	})
}

func (s *stores) known(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[id] = true
}

// find is the record that is kept of an attempt, nil where none is.
func (s *stores) find(of attempt.Record) *attempt.Record {
	all, _ := s.Memory.OfMessage(context.Background(), of.WebhookID, of.MessageID)
	for _, r := range all {
		if r.Attempt == of.Attempt {
			return &r
		}
	}
	return nil
}

func (s *stores) compare(before *attempt.Record, put attempt.Record) {
	if before == nil {
		return
	}
	kept := s.find(put)
	if kept == nil || kept.Verdict.Rank() < before.Verdict.Rank() {
		s.w.complain("of attempt %d (%s) there is kept %+v after %+v", put.Attempt, before.Verdict, kept, put)
	}
	if before.Verdict != attempt.Held && !before.Dropped && !before.At.Equal(put.At) && !s.w.twins {
		s.w.complain("attempt %d, made at %s, is the number of another one, made at %s", put.Attempt,
			before.At.Format(time.TimeOnly), put.At.Format(time.TimeOnly))
	}
}

func (s *stores) OfMessage(ctx context.Context, webhookID, messageID string) (records []attempt.Record, err error) {
	err = s.w.calls.do(ctx, "read history", func() error {
		records, err = s.Memory.OfMessage(ctx, webhookID, messageID)
		return err
	})
	return records, err
}

func (s *stores) OfWebhook(ctx context.Context, webhookID string) (records []attempt.Record, err error) {
	err = s.w.calls.do(ctx, "read past", func() error {
		records, err = s.Memory.OfWebhook(ctx, webhookID)
		return err
	})
	return records, err
}

func (s *stores) NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) (newest []attempt.Record,
	err error) {
	err = s.w.calls.do(ctx, "read failures", func() error {
		newest, err = s.Memory.NewestFailures(ctx, queue, from, before, limit)
		return err
	})
	return newest, err
}

func (s *stores) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	return s.w.calls.do(ctx, "forget failures", func() error { return s.Memory.ForgetFailures(ctx, records) })
}

// claimed names a claim: that on the whole queue, or that on an item.
func claimed(c claim.Claim) string {
	if c.ItemID == deadletter.Whole {
		return "queue"
	}
	return "item"
}

func (s *stores) TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error) {
	err = s.w.calls.do(ctx, "claim "+claimed(c), func() error {
		other, err = s.Memory.TakeClaim(ctx, c)
		return err
	})
	return other, err
}

func (s *stores) PutClaim(ctx context.Context, c claim.Claim) error {
	return s.w.calls.do(ctx, "settle claim", func() error { return s.Memory.PutClaim(ctx, c) })
}

func (s *stores) DropClaim(ctx context.Context, c claim.Claim) error {
	return s.w.calls.do(ctx, "drop claim on "+claimed(c), func() error { return s.Memory.DropClaim(ctx, c) })
}

func (s *stores) ClaimsOn(ctx context.Context, queue string, itemIDs []string) (on []claim.Claim, err error) {
	err = s.w.calls.do(ctx, "read claims", func() error {
		on, err = s.Memory.ClaimsOn(ctx, queue, itemIDs)
		return err
	})
	return on, err
}
