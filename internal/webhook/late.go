package webhook

import (
	"context"
	"sync"
	"time"
)

// Late is a Client that can't be made before something is read that may be out of
// reach. It may be used by many goroutines at once.
type Late struct {
	// Make makes the Client. Its error may be shown to a message's owner, as that of
	// an Exchange.
	Make func(ctx context.Context) (*Client, error)
	Now  func() time.Time

	mu     sync.Mutex
	client *Client
	err    error
	failed time.Time
}

// againAfter is how long a failure stands for all who ask: over before a message that
// is held for it comes back.
const againAfter = 10 * time.Second

// Ready returns nil once there is a Client, and else why there is none. It tries to
// make it, unless that has just failed.
func (l *Late) Ready(ctx context.Context) error {
	_, err := l.made(ctx)
	return err
}

// Post is that of the Client. Without one the exchange is not made, for a trouble of
// ours.
func (l *Late) Post(ctx context.Context, r Request) Exchange {
	c, err := l.made(ctx)
	if err != nil {
		return Exchange{Started: l.Now(), Ours: true, Err: err}
	}
	return c.Post(ctx, r)
}

func (l *Late) made(ctx context.Context) (*Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil || l.err != nil && l.Now().Sub(l.failed) < againAfter {
		return l.client, l.err
	}
	l.client, l.err = l.Make(ctx)
	l.failed = l.Now()
	return l.client, l.err
}
