package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// maxMoves is how often somebody else may have moved the head first. Each time
// entries were appended, so this bounds only what can't happen.
const maxMoves = 100

// append brings into the log what is not in it, and returns the lane's head.
func (h *Handler) append(ctx context.Context, lane string, messages []*item, created int64) (ledger.Head, error) {
	for range maxMoves {
		head, err := h.Heads.Head(ctx, lane)
		if err != nil {
			return head, err
		}
		next, entries, err := plan(head, messages, created)
		if err != nil || len(entries) == 0 {
			return head, err
		}
		if err = h.commit(ctx, lane, &next, entries); err == nil {
			metric.To(h.Metrics, metric.Event{Name: metric.LedgerEntries, Value: float64(len(entries))})
		}
		if !errors.Is(err, ledger.ErrMoved) {
			return next, err
		}
	}
	return ledger.Head{}, fmt.Errorf("%s: %w %d times", lane, ledger.ErrMoved, maxMoves)
}

// plan picks the messages that a head does not know, and gives the head that
// knows them, but for its tree.
func plan(head ledger.Head, messages []*item, created int64) (next ledger.Head, entries [][]byte, err error) {
	next = head
	for _, m := range messages {
		source, err := sourceOf(m, head, created)
		if err != nil {
			return head, nil, err
		}
		if source == next.Source && !ledger.After(m.sequence, next.Sequence) {
			continue
		}
		next.Source, next.Sequence = source, m.sequence
		entries = append(entries, m.entries...)
	}
	next.Version++
	return next, entries, nil
}

// sourceOf is the queue that a message's SequenceNumber counts in. One that was
// sent before the queue was made was received from the former one of its name:
// that of the head.
func sourceOf(m *item, head ledger.Head, created int64) (ledger.Source, error) {
	sent, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return ledger.Source{}, fmt.Errorf("message %s has no SentTimestamp: %w", m.MessageId, err)
	}
	source := ledger.Source{ARN: m.EventSourceARN, Created: created}
	if sent/1000 < created && head.Source.ARN == source.ARN && head.Source.Created < created {
		return head.Source, nil
	}
	return source, nil
}

// commit stages entries and moves the head to next.
func (h *Handler) commit(ctx context.Context, lane string, next *ledger.Head, entries [][]byte) error {
	staged, err := ledger.Stage(&next.Edge, entries)
	if err != nil {
		return err
	}
	for _, s := range staged {
		if err := h.Staging.Stage(ctx, lane, s); err != nil {
			return err
		}
	}
	return h.Heads.Move(ctx, lane, *next)
}
