package replay

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

const (
	defaultLimit = 50
	maxLimit     = 200
	// listTime is how long a listing looks for items among failures that have
	// been dealt with.
	listTime = 10 * time.Second
	// drainTime is how long after its last attempt a message may need to reach
	// the dead-letter queue, countTime how long SQS may need to count it there.
	drainTime = 10 * time.Second
	countTime = 2 * time.Minute
	// reads is how many histories are read at a time.
	reads = 16
)

// listing is one request for the items of a queue.
type listing struct {
	*Handler
	queue  *Queue
	filter Filter
	limit  int
	// from and before bound the positions of the failures.
	from, before string
	count        deadletter.Count
	// moved is when the last move task began that has since ended.
	moved time.Time
	// there is how many of the failures seen so far, on former pages too, are
	// still in the queue.
	there int
	items []Item
}

// list answers GET /api/v1/dlq.
func (h *Handler) list(r *http.Request) (int, any, error) {
	l, err := h.listing(r)
	if err != nil {
		return 0, nil, err
	}
	switch source := r.URL.Query().Get("source"); source {
	case "", "index":
		err = l.fromIndex(r.Context())
	case "queue":
		return l.fromQueue(r)
	default:
		err = badRequest("parameter source: %.40q is neither index nor queue", source)
	}
	return http.StatusOK, l.answer(), err
}

func (l *listing) answer() Items {
	a := Items{Items: l.items, ApproximateTotal: l.count.Total()}
	if l.before != "" {
		a.Cursor = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", l.there, l.before))
	}
	if a.Items == nil {
		a.Items = []Item{}
	}
	return a
}

func (h *Handler) listing(r *http.Request) (l *listing, err error) {
	query := r.URL.Query()
	l = &listing{Handler: h, limit: defaultLimit}
	if err := known(query); err != nil {
		return nil, err
	}
	if query.Get("queue") == "" {
		return nil, badRequest("parameter queue: is missing; name a dead-letter queue")
	}
	if l.queue, err = h.queue(query.Get("queue")); err != nil {
		return nil, err
	}
	if text := query.Get("limit"); text != "" {
		if l.limit, err = strconv.Atoi(text); err != nil || l.limit < 1 || l.limit > maxLimit {
			return nil, badRequest("parameter limit: %.40q is not a number from 1 to %d", text, maxLimit)
		}
	}
	if l.there, l.before, err = readListCursor(query.Get("cursor")); err != nil {
		return nil, err
	}
	l.filter, err = filterOf(query)
	return l, err
}

func readListCursor(text string) (there int, before string, err error) {
	if text == "" {
		return 0, "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	count, before, ok := strings.Cut(string(b), " ")
	there, countErr := strconv.Atoi(count)
	if err != nil || countErr != nil || !ok || !strings.Contains(before, "#") {
		return 0, "", badRequest("cursor: is not one that this API gave")
	}
	return there, before, nil
}

// fromIndex fills the page from the records. It leaves before at the cursor,
// empty when nothing follows.
func (l *listing) fromIndex(ctx context.Context) error {
	if err := l.look(ctx); err != nil {
		return err
	}
	for end := l.Now().Add(listTime); len(l.items) < l.limit && l.Now().Before(end); {
		failures, err := l.Failures.NewestFailures(ctx, l.queue.Name, l.from, l.before, l.limit)
		if err != nil {
			return &unavailable{"the failures can't be read", err}
		}
		if err := l.add(ctx, failures); err != nil {
			return err
		}
		if len(failures) < l.limit && (len(failures) == 0 || l.before == failures[len(failures)-1].Position()) {
			l.before = ""
			return nil
		}
	}
	return nil
}

// look asks SQS how many messages there are and what was moved. A move task
// that ended has taken all that was in the queue at its start, and what is
// older than the queue keeps messages is gone.
func (l *listing) look(ctx context.Context) error {
	var moves []deadletter.Move
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { moves, err = l.queue.Moves.List(ctx); return err })
	g.Go(func() (err error) { l.count, err = l.queue.Letters.Count(ctx); return err })
	if err := g.Wait(); err != nil {
		return &unavailable{"the queue can't be looked at", err}
	}
	from := l.Now().Add(-l.count.Retention)
	for _, m := range moves {
		if m.Status == deadletter.Completed && m.Started.After(l.moved) {
			l.moved = m.Started
		}
	}
	if taken := l.moved.Add(-drainTime); taken.After(from) {
		from = taken
	}
	l.from = attempt.Before(from)
	return nil
}

// add takes the failures that are still in the queue, up to the limit, and
// moves the cursor over those it has seen.
func (l *listing) add(ctx context.Context, failures []attempt.Record) error {
	histories, err := l.histories(ctx, failures)
	if err != nil {
		return err
	}
	claims, err := l.claims(ctx, failures)
	if err != nil {
		return err
	}
	var over []attempt.Record
	for i, failure := range failures {
		if len(l.items) == l.limit {
			break
		}
		l.before = failure.Position()
		switch {
		case dealtWith(failure, histories[i], claims):
			over = append(over, failure)
		case l.moved.After(failure.At) && l.count.Total() <= l.there:
			// It may have come too late for the move task, but the queue holds no
			// message that is not accounted for.
			if l.Now().Sub(failure.At) > countTime {
				over = append(over, failure)
			}
		default:
			l.there++
			item := itemOf(failure)
			item.tell(histories[i], &failure)
			if l.filter.takes(item) {
				l.items = append(l.items, item)
			}
		}
	}
	l.forget(ctx, over)
	return nil
}

// dealtWith reports whether a failed message was tried again since, under its
// webhook id, or was replayed or discarded.
func dealtWith(failure attempt.Record, history []attempt.Record, claims map[string]claim.Claim) bool {
	if c, ok := claims[failure.MessageID]; ok && c.Settled && !c.At.Before(failure.At) {
		return true
	}
	return slices.ContainsFunc(history, func(r attempt.Record) bool { return r.At.After(failure.At) })
}

// forget keeps the index short: what was dealt with once is so for ever.
func (l *listing) forget(ctx context.Context, over []attempt.Record) {
	if len(over) == 0 {
		return
	}
	if err := l.Failures.ForgetFailures(ctx, over); err != nil {
		l.Log.Warn("failures that were dealt with stay in the index", "failures", len(over), "error", err)
	}
}

func (l *listing) histories(ctx context.Context, failures []attempt.Record) ([][]attempt.Record, error) {
	histories := make([][]attempt.Record, len(failures))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(reads)
	for i, f := range failures {
		g.Go(func() (err error) {
			histories[i], err = l.History.OfWebhook(ctx, f.WebhookID)
			return err
		})
	}
	return histories, wrapUnavailable("the attempts can't be read", g.Wait())
}

func (l *listing) claims(ctx context.Context, failures []attempt.Record) (map[string]claim.Claim, error) {
	all := map[string]claim.Claim{}
	for some := range slices.Chunk(failures, 100) {
		ids := make([]string, len(some))
		for i, f := range some {
			ids[i] = f.MessageID
		}
		claims, err := l.Claims.ClaimsOn(ctx, l.queue.Name, ids)
		if err != nil {
			return nil, &unavailable{"the claims can't be read", err}
		}
		for _, c := range claims {
			all[c.ItemID] = c
		}
	}
	return all, nil
}
