package life

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/api"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/deadletter"
	registered "github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// functions are a handler of each kind, with what it remembers: that dies with
// its process.
type functions struct {
	deliver *deliver.Handler
	release *release.Handler
	api     http.Handler
}

// renew makes the function anew that processes of this name run.
func (w *world) renew(name string) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch name {
	case "deliver":
		w.functions.deliver, err = w.newDeliver()
	case "release":
		w.functions.release, err = w.newRelease()
	default:
		w.functions.api, err = w.newAPI()
	}
	return err
}

func (w *world) running() functions {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.functions
}

// buried puts a new process in the place of one that has died.
func (w *world) buried(p *process) bool {
	if !p.isDead() {
		return false
	}
	if err := w.renew(p.name); err != nil {
		w.complain("%s can't be started again: %v", p.name, err)
	}
	return true
}

// policy is one of the retry policies that the functions know.
func (w *world) policy(name string) (retry.Policy, error) {
	all, err := retry.ParsePolicies(w.policies)
	if err != nil {
		return retry.Policy{}, err
	}
	return all.Lookup(name)
}

func (w *world) newDeliver() (*deliver.Handler, error) {
	policies, err := retry.ParsePolicies(w.policies)
	if err != nil {
		return nil, err
	}
	return deliver.New(deliver.Needs{
		Needs: batch.Needs{
			Attempts: w.stores, Room: w.stores, Queue: &awssqs.Queue{API: w.queues, URL: queueURL + settings.WebhooksQueue},
			Audit: w.audit, Redactors: w.audit, Policies: policies, MaxReceives: w.maxReceives,
			Now: w.clock.Now, Jitter: func() float64 { return 0 }, Log: quiet,
		},
		Sender:   w.internet,
		Secrets:  &awssecrets.Signing{API: secretsManager{w}, Now: w.clock.Now},
		Circuits: w.newKeeper(), MostHeld: w.mostHeld,
		Endpoints: &registered.Known{Store: new(storetest.Memory), Now: w.clock.Now}, Disabler: &registered.Disabler{},
		Auth: &awssecrets.Values{API: secretsManager{w}, Now: w.clock.Now},
		Pace: &pace.Keeper{Store: new(storetest.Memory), Now: w.clock.Now, Log: quiet},
	})
}

func (w *world) newRelease() (*release.Handler, error) {
	return release.New(release.Needs{Room: w.stores, Exit: w.newExit(), Circuits: w.stores, MostHeld: w.mostHeld, Every: time.Minute,
		Now: w.clock.Now, Log: quiet})
}

// newExit is that of a process of its own.
func (w *world) newExit() *waiting.Exit {
	w.exits++
	return &waiting.Exit{
		Places: w.stores, Now: w.clock.Now, Holder: strconv.Itoa(w.exits),
		Sender: &awssqs.Outgoing{API: w.queues, URLs: map[string]string{settings.WebhooksQueue: queueURL + settings.WebhooksQueue}},
	}
}

func (w *world) newAPI() (http.Handler, error) {
	url := queueURL + deadletter.WebhookFailures
	h, err := replay.New(replay.Needs{
		Queues: []replay.Queue{{
			Name: deadletter.WebhookFailures, From: settings.WebhooksQueue, Read: replay.ReadWebhook,
			Letters: &awssqs.Letters{API: w.queues, URL: url},
			Source:  &awssqs.Source{API: w.queues, URL: queueURL + settings.WebhooksQueue},
			Moves:   &awssqs.Moves{API: w.queues, URL: url},
		}},
		History: w.stores, Failures: w.stores, Claims: w.stores, Records: w.stores, Room: w.stores, Circuits: w.stores,
		Exit: w.newExit(), Audit: w.audit,
		Redactors: w.audit,
		Caller:    func(*http.Request) (api.Caller, error) { return api.Caller{Name: "operator"}, nil },
		Now:       w.clock.Now, Wait: func(_ context.Context, d time.Duration) { w.clock.Advance(d) }, Log: quiet,
	})
	if err != nil {
		return nil, err
	}
	return h.Routes(), nil
}
