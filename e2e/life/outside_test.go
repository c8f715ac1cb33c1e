package life

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/webhook"
)

// answer is what an endpoint says to a POST.
type answer struct {
	status     int
	retryAfter time.Duration
	// lost: the kept connection closed without a byte of an answer. hang: no
	// answer comes until the invocation cuts the exchange. ours: we had no
	// descriptor left to connect. refused: no connection came about.
	lost, hang, ours, refused bool
	// took is how long the exchange takes; 0 is exchangeTime.
	took time.Duration
}

// exchangeTime is how long an exchange takes, cutTime how long one that hangs.
const (
	exchangeTime = 20 * time.Millisecond
	cutTime      = 28 * time.Second
)

func (a answer) exchange() webhook.Exchange {
	x := webhook.Exchange{Status: a.status, RetryAfter: a.retryAfter, Lost: a.lost, Interrupted: a.hang, Ours: a.ours,
		Duration:    cmp.Or(a.took, exchangeTime),
		Unreachable: a.refused, Gone: a.status == 410}
	if a.refused {
		x.Err = errors.New("no connection")
	}
	if a.lost {
		x.Err = errors.New("the connection was closed")
	}
	if a.ours {
		x.Err = errors.New("too many open files")
	}
	if a.hang {
		x.Duration = cutTime
	}
	return x
}

// endpoint answers POSTs by its script, whose last answer is for ever.
type endpoint struct {
	script []answer
	// posts are when POSTs were made, arrived or not, and ids of what; taken is how
	// many were answered 2xx.
	posts []time.Time
	ids   []string
	taken int
}

func (e *endpoint) next() answer {
	a := e.script[0]
	if len(e.script) > 1 {
		e.script = e.script[1:]
	}
	if a.status/100 == 2 {
		e.taken++
	}
	return a
}

// internet is all endpoints, by URL.
type internet struct {
	w         *world
	mu        sync.Mutex
	endpoints map[string]*endpoint
	// taken are the webhook-ids that were answered 2xx.
	taken map[string]bool
}

func (i *internet) at(url string) *endpoint {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.endpoints[url]
}

// Post is one POST. Where it fails the endpoint is not reached, or its answer is
// not.
func (i *internet) Post(ctx context.Context, r webhook.Request) (x webhook.Exchange) {
	p := processOf(ctx)
	if p.isDead() {
		return webhook.Exchange{Interrupted: true}
	}
	p.mu.Lock()
	p.intents[r.ID]--
	if p.intents[r.ID] < 0 {
		i.w.complain("%s was sent before the ledger knew of it", r.ID)
	}
	p.mu.Unlock()
	e := i.at(r.URL)
	i.mu.Lock()
	e.posts, e.ids = append(e.posts, i.w.clock.Now()), append(e.ids, r.ID)
	i.mu.Unlock()
	err := i.w.calls.do(ctx, "post", func() error {
		i.mu.Lock()
		defer i.mu.Unlock()
		x = e.next().exchange()
		if x.Status/100 == 2 {
			i.taken[r.ID] = true
		}
		return nil
	})
	switch {
	case errors.Is(err, errDead):
		x = webhook.Exchange{Interrupted: true}
	case err != nil:
		x = answer{refused: true}.exchange()
	}
	i.w.clock.Advance(x.Duration)
	return x
}

// auditQueue is the way to the ledger; entries are what got there.
type auditQueue struct {
	w       *world
	mu      sync.Mutex
	entries []ledger.Entry
}

func (a *auditQueue) Append(ctx context.Context, _ string, entries []ledger.Entry) error {
	var names []string
	for _, e := range entries {
		names = append(names, fmt.Sprintf("%s %d", e.Action, e.Attempt))
	}
	err := a.w.calls.do(ctx, "audit "+strings.Join(names, ", "), func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.entries = append(a.entries, entries...)
		return nil
	})
	if err != nil {
		return err
	}
	p := processOf(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range entries {
		if e.Action == ledger.WebhookAttempt {
			p.intents[e.WebhookID]++
		}
	}
	return nil
}

// Redactor is the same for all times: the keys of months are not the matter here.
func (a *auditQueue) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor(nil, false)
}

// secretsManager holds one signing secret under every name.
type secretsManager struct{ w *world }

func (s secretsManager) GetSecretValue(ctx context.Context, _ *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (
	out *secretsmanager.GetSecretValueOutput, err error) {
	err = s.w.calls.do(ctx, "read secret", func() error { return nil })
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String("whsec_bGlmZQ=="), VersionId: aws.String("v1")}, err
}
