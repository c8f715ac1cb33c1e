package replay

import (
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
)

// fromQueue answers a listing from the queue itself, for what died without a
// handler: it receives up to limit messages that the filter takes, and gives
// all of them back. There is no cursor: SQS hands out messages in no order.
func (l *listing) fromQueue(r *http.Request) (int, any, error) {
	if l.before != "" {
		return 0, nil, api.BadRequest("cursor: source=queue has none")
	}
	var mu sync.Mutex
	p, err := l.begin(r, l.queue, passCursor{Started: l.Now()})
	if err != nil {
		return 0, nil, err
	}
	p.look = func(messages []events.SQSMessage) ([]events.SQSMessage, error) {
		letters := make([]*letter, len(messages))
		g, ctx := errgroup.WithContext(p.work)
		for i, m := range messages {
			letters[i] = l.queue.open(m)
			g.Go(func() error { return l.recall(ctx, letters[i]) })
		}
		if err := g.Wait(); err != nil {
			return messages, err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, one := range letters {
			if len(l.items) < l.limit && l.filter.takes(one.item) {
				l.items = append(l.items, one.item)
			}
		}
		if len(l.items) == l.limit {
			return messages, errStop
		}
		return messages, nil
	}
	_, err = p.run(false)
	p.close(stopped)
	if err == nil {
		l.count, err = l.queue.Letters.Count(r.Context())
	}
	slices.SortFunc(l.items, func(a, b Item) int { return b.LastAt.Compare(a.LastAt) })
	return http.StatusOK, l.answer(), err
}
