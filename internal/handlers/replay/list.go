package replay

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

const (
	// listTime is how long a listing looks for items among failures that have
	// been dealt with.
	listTime = 10 * time.Second
	// countTime is how long SQS may need to count a message.
	countTime = 2 * time.Minute
)

// listing is one request for the items of a queue.
type listing struct {
	*Handler
	queue  *Queue
	filter Filter
	limit  int
	// from and before bound the positions of the failures.
	from, before attempt.Position
	count        deadletter.Count
	fates        fates
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
	switch source := r.URL.Query().Get("source"); {
	case source == "queue" || source == "" && l.queue.Unrecorded:
		return l.fromQueue(r)
	case source == "index" && l.queue.Unrecorded:
		err = api.BadRequest("parameter source: no attempts are recorded of what is in %s; it is listed from the queue", l.queue.Name)
	case source == "" || source == "index":
		err = l.fromIndex(r.Context())
	default:
		err = api.BadRequest("parameter source: %.40q is neither index nor queue", source)
	}
	return http.StatusOK, l.answer(), err
}

func (l *listing) answer() Items {
	a := Items{Items: l.items, ApproximateTotal: max(0, l.count.Total())}
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
	l = &listing{Handler: h}
	if query.Get("queue") == "" {
		return nil, api.BadRequest("parameter queue: is missing; name a dead-letter queue")
	}
	if l.queue, err = h.queue(query.Get("queue")); err != nil {
		return nil, err
	}
	if l.limit, err = api.Limit(query); err != nil {
		return nil, err
	}
	l.fates = fates{Handler: h, queue: l.queue}
	if l.there, l.before, err = readListCursor(query.Get("cursor")); err != nil {
		return nil, err
	}
	l.filter, err = filterOf(query)
	return l, err
}

func readListCursor(text string) (there int, before attempt.Position, err error) {
	if text == "" {
		return 0, "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	count, position, _ := strings.Cut(string(b), " ")
	there, countErr := strconv.Atoi(count)
	before = attempt.Position(position)
	if err != nil || countErr != nil || there < 0 || !before.Valid() {
		return 0, "", api.BadRequest("cursor: is not one that this API gave")
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
			return api.Unavailable("the failures can't be read", err)
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

// look asks SQS how many messages there are and what was moved. What is older
// than the queue keeps messages is gone, and what a task took need not be read.
func (l *listing) look(ctx context.Context) error {
	var moves []deadletter.Move
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { moves, err = l.queue.Moves.List(ctx); return err })
	g.Go(func() (err error) { l.count, err = l.queue.Letters.Count(ctx); return err })
	if err := g.Wait(); err != nil {
		return api.Unavailable("the queue can't be looked at", err)
	}
	l.fates.tasks = tasksThatMoved(moves)
	from := l.Now().Add(-l.count.Retention)
	if taken := l.fates.emptied().Add(-longestAttempt - drainTime); taken.After(from) {
		from = taken
	}
	l.from = attempt.PositionAt(from)
	return nil
}

// add takes the failures that are still in the queue, up to the limit, and
// moves the cursor over those it has seen.
func (l *listing) add(ctx context.Context, failures []attempt.Record) error {
	if err := l.fates.read(ctx, failures); err != nil {
		return err
	}
	var over []attempt.Record
	room := l.room(failures)
	for _, failure := range failures {
		if len(l.items) == l.limit {
			break
		}
		l.before = failure.Position()
		switch fate := l.fates.of(failure); {
		case fate == dealtWith:
			over = append(over, failure)
		case fate == moved:
		case fate == doubtful && room <= 0:
			if l.fates.emptied().After(failure.At) && l.Now().Sub(failure.At) > countTime {
				over = append(over, failure)
			}
		default:
			if fate == doubtful {
				room--
			}
			if !l.gone(failure) {
				l.take(failure)
			} else if l.count.Total() == 0 {
				over = append(over, failure)
			}
		}
	}
	l.forget(ctx, over)
	return nil
}

// gone reports whether a failure's message left the queue by a way that nothing
// tells of: the queue was purged, say. Those seen before it are then all that
// there are, which only an exact count can say.
func (l *listing) gone(failure attempt.Record) bool {
	return l.ExactCounts && l.there >= l.count.Total() && arrived(failure).Before(l.Now())
}

// room is for how many doubtful failures the queue has messages that are not
// accounted for. Those that died last come first: a move task takes those that
// died first.
func (l *listing) room(failures []attempt.Record) int {
	room := l.count.Total() - l.there
	for _, failure := range failures {
		if l.fates.of(failure) == parked {
			room--
		}
	}
	return room
}

// take notes that a failure's message is in the queue.
func (l *listing) take(failure attempt.Record) {
	l.there++
	item := itemOf(failure)
	item.tell(l.fates.history(failure), &failure)
	if l.filter.takes(item) {
		l.items = append(l.items, item)
	}
}

// forget keeps the index short: what was dealt with once is so for ever.
func (l *listing) forget(ctx context.Context, over []attempt.Record) {
	if len(over) == 0 {
		return
	}
	if err := l.Failures.ForgetFailures(ctx, over); err != nil {
		l.Log.WarnContext(ctx, "failures that were dealt with stay in the index", "failures", len(over), "error", err)
	}
}
