package assembly

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/origin"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// endpointQueues are the ledger's, and the one that examples are sent on.
type endpointQueues interface {
	awssqs.SendAPI
	awssqs.SendBatchAPI
}

// EndpointParts is what the API of registered endpoints takes, wherever the queues are.
type EndpointParts struct {
	settings.Endpoints
	Kept      Stores
	Secrets   awssecrets.VersionsAPI
	Queues    endpointQueues
	Prober    endpoints.Prober
	Refuses   func(url string) string
	Outcomes  *outcome.Teller
	Watch     Watch
	URL       func(name string) (string, error)
	Redactors ledger.Redactors
	Caller    func(*http.Request) (api.Caller, error)
	Tokens    *access.Tokens
	Now       func() time.Time
	Log       *slog.Logger
}

// endpointsHandler wires the handler of registered endpoints.
func endpointsHandler(p EndpointParts) (*endpoints.Handler, error) {
	urls := map[string]string{}
	for _, name := range []string{settings.AuditQueue, settings.WebhooksQueue, settings.EventsQueue} {
		url, err := p.URL(name)
		if err != nil {
			return nil, err
		}
		urls[name] = url
	}
	sender := &awssqs.Outgoing{API: p.Queues, URLs: urls}
	return endpoints.New(endpoints.Needs{
		Webhooks:   sender,
		Recovery:   &endpoints.Recovery{Events: p.Kept.Events, History: p.Kept.Attempts, Retention: p.EventRetention},
		Publishing: &endpoints.Publishing{Book: &endpoint.Book{Store: p.Kept.Endpoints}, Keys: p.Kept.Events, Sender: sender, Wait: pause},
		Endpoints:  p.Kept.Endpoints, Attempts: p.Kept.Attempts, Secrets: &awssecrets.Versions{API: p.Secrets},
		Audit: &awssqs.Audit{API: p.Queues, URL: urls[settings.AuditQueue], Lanes: p.AuditLanes}, Redactors: p.Redactors, Policies: p.Policies,
		MaxEndpoints: p.MaxEndpoints, Tokens: p.Tokens, Caller: p.Caller, Now: p.Now, Log: p.Log,
		Prober: p.Prober, Refuses: p.Refuses, Origin: p.Origin, MustVerify: p.MustVerify, OwnSecrets: p.OwnSecrets,
		Outcomes: p.Outcomes, Metrics: p.Watch.of("endpoints"),
	})
}

// LocalCallers says who makes a request where nothing tells callers apart but the API's
// own tokens.
func LocalCallers(name string, s settings.Endpoints, secrets awssecrets.VersionsAPI, now func() time.Time) (
	func(*http.Request) (api.Caller, error), *access.Tokens) {
	caller := func(*http.Request) (api.Caller, error) { return api.Caller{Name: name}, nil }
	if s.TokenSecret == "" {
		return caller, nil
	}
	tokens := &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: s.TokenSecret, Now: now}, Now: now}
	return tokens.Caller(caller), tokens
}

// Served are the handlers' routes on one address, those of endpoints and the directory
// made of p: for this machine only, and no web page in its browser.
func Served(r *replay.Handler, p EndpointParts) (http.Handler, error) {
	e, err := endpointsHandler(p)
	if err != nil {
		return nil, err
	}
	d, err := directoryHandler(p)
	if err != nil {
		return nil, err
	}
	return origin.Only(access.Doors(api.Server{Caller: p.Caller, Log: p.Log}.Routes(r.Serves(), e.Serves(), d.Serves()))), nil
}
