package sqsserver

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/efferent/efferent/internal/localaws/credential"
)

// place is a region and an account. Queues of two places have nothing to do
// with each other, but for Options.Own, which are found from all.
type place struct{ region, account string }

type placeKey struct{}

// of is r for where its signer says it is: the region of its credential scope,
// and the account that its access key names, if it has 12 digits. What it does
// not say is the engine's.
func (e *Engine) of(r *http.Request) *http.Request {
	scope := credential.Of(r)
	p := e.home
	if scope.Region != "" {
		p.region = scope.Region
	}
	if account := scope.Account(); account != "" {
		p.account = account
	}
	if p == e.home {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), placeKey{}, p))
}

// from is where a call comes from.
func (e *Engine) from(ctx context.Context) place {
	if p, ok := ctx.Value(placeKey{}).(place); ok {
		return p
	}
	return e.home
}

// placed is a queue's name, and where it is.
type placed struct {
	place
	name string
}

// key is what a queue is kept under: its name, after its region and account
// where these are not the engine's.
func (e *Engine) key(q placed) string {
	if q.place == e.home {
		return q.name
	}
	return q.region + ":" + q.account + ":" + q.name
}

// ofKey is what key was made of.
func (e *Engine) ofKey(key string) placed {
	if parts := strings.Split(key, ":"); len(parts) == 3 {
		return placed{place{parts[0], parts[1]}, parts[2]}
	}
	return placed{e.home, key}
}

// placed is where a name that is asked for from p is.
func (e *Engine) placed(p place, name string) placed {
	if p != e.home && slices.Contains(e.own, name) {
		p = e.home
	}
	return placed{p, name}
}

func (q placed) arn() string { return "arn:aws:sqs:" + q.region + ":" + q.account + ":" + q.name }

// url is the queue's URL on a host that stands for whichever the caller uses.
func (q placed) url() string { return urlBase + q.account + "/" + q.name }

const urlBase = "http://127.0.0.1/"

// named is the queue of that name and place.
func (e *Engine) named(q placed) (*queue, error) {
	if err := e.running(); err != nil {
		return nil, err
	}
	if q := e.find(q); q != nil {
		return q, nil
	}
	return nil, queueDoesNotExist()
}

func (e *Engine) find(q placed) *queue {
	if strings.IndexByte(q.name, ':') >= 0 {
		return nil // it would be the key of another place's
	}
	key := e.key(q)
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.queues[key]
}

// at is the queue that a URL points to, whatever the host: its last segment
// names it, and the one before, if it has 12 digits, its account.
func (e *Engine) at(ctx context.Context, url *string) (*queue, error) {
	if aws.ToString(url) == "" {
		return nil, missingParameter("QueueUrl")
	}
	path, _, _ := strings.Cut(*url, "?")
	p := e.from(ctx)
	i := strings.LastIndexByte(path, '/')
	if i >= 0 {
		if account := path[strings.LastIndexByte(path[:i], '/')+1 : i]; credential.IsAccount(account) {
			p.account = account
		}
	}
	return e.named(e.placed(p, path[i+1:]))
}

// byARN is the queue with that ARN, nil when there is none.
func (e *Engine) byARN(arn string) *queue {
	name, ours := strings.CutPrefix(arn, e.homeARN)
	q := placed{e.home, name}
	if !ours {
		parts := strings.Split(arn, ":")
		if len(parts) != 6 || !strings.HasPrefix(arn, "arn:aws:sqs:") {
			return nil
		}
		q = e.placed(place{parts[3], parts[4]}, parts[5])
	}
	return e.find(q)
}
