package main

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

// endpointParts is what the API of registered endpoints takes, wherever the queues are.
type endpointParts struct {
	settings.Endpoints
	kept      stores
	secrets   awssecrets.VersionsAPI
	queues    endpointQueues
	prober    endpoints.Prober
	refuses   func(url string) string
	outcomes  *outcome.Teller
	watch     watch
	url       func(name string) (string, error)
	redactors ledger.Redactors
	caller    func(*http.Request) (api.Caller, error)
	tokens    *access.Tokens
	now       func() time.Time
	log       *slog.Logger
}

// endpointsHandler wires the handler of registered endpoints.
func endpointsHandler(p endpointParts) (*endpoints.Handler, error) {
	urls := map[string]string{}
	for _, name := range []string{settings.AuditQueue, settings.WebhooksQueue, settings.EventsQueue} {
		url, err := p.url(name)
		if err != nil {
			return nil, err
		}
		urls[name] = url
	}
	sender := &awssqs.Outgoing{API: p.queues, URLs: urls}
	return endpoints.New(endpoints.Needs{
		Webhooks:   sender,
		Recovery:   &endpoints.Recovery{Events: p.kept.events, History: p.kept.attempts, Retention: p.EventRetention},
		Publishing: &endpoints.Publishing{Book: &endpoint.Book{Store: p.kept.endpoints}, Keys: p.kept.events, Sender: sender, Wait: pause},
		Endpoints:  p.kept.endpoints, Attempts: p.kept.attempts, Secrets: &awssecrets.Versions{API: p.secrets},
		Audit: &awssqs.Audit{API: p.queues, URL: urls[settings.AuditQueue], Lanes: p.AuditLanes}, Redactors: p.redactors, Policies: p.Policies,
		MaxEndpoints: p.MaxEndpoints, Tokens: p.tokens, Caller: p.caller, Now: p.now, Log: p.log,
		Prober: p.prober, Refuses: p.refuses, Origin: p.Origin, MustVerify: p.MustVerify, OwnSecrets: p.OwnSecrets,
		Outcomes: p.outcomes, Metrics: p.watch.of("endpoints"),
	})
}

// localCallers says who makes a request where nothing tells callers apart but the API's
// own tokens.
func localCallers(name string, s settings.Endpoints, secrets awssecrets.VersionsAPI, now func() time.Time) (
	func(*http.Request) (api.Caller, error), *access.Tokens) {
	caller := func(*http.Request) (api.Caller, error) { return api.Caller{Name: name}, nil }
	if s.TokenSecret == "" {
		return caller, nil
	}
	tokens := &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: s.TokenSecret, Now: now}, Now: now}
	return tokens.Caller(caller), tokens
}

// served are the handlers' routes on one address, those of endpoints and the directory
// made of p: for this machine only, and no web page in its browser.
func served(r *replay.Handler, p endpointParts) (http.Handler, error) {
	e, err := endpointsHandler(p)
	if err != nil {
		return nil, err
	}
	d, err := directoryHandler(p)
	if err != nil {
		return nil, err
	}
	return origin.Only(access.Doors(api.Server{Caller: p.caller, Log: p.log}.Routes(r.Serves(), e.Serves(), d.Serves()))), nil
}
