package main

import (
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/fanout"
	"github.com/efferent/efferent/internal/settings"
)

// eventsSource wires the handler that the fanout Lambda runs to its queue. What it
// makes of events goes to the queue webhooks, at a URL.
func eventsSource(f feed, webhooks string, s settings.Sending, kept stores) (*eventsource.Source, error) {
	handle, err := fanner(f, webhooks, s, kept)
	if err != nil {
		return nil, err
	}
	return f.source(handle, eventBatches), nil
}

// eventBatches are in hand at a time: nobody outside is waited for.
const eventBatches = 16

// fanner is that handler.
func fanner(f feed, webhooks string, s settings.Sending, kept stores) (eventsource.Handler, error) {
	handler, err := fanout.New(fanout.Needs{
		Needs:     f.needs("fanout", s, kept.attempts),
		Endpoints: &endpoint.Book{Store: kept.endpoints},
		Events:    kept.events,
		Sender:    &awssqs.Outgoing{API: f.queues, URLs: map[string]string{settings.WebhooksQueue: webhooks}},
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}
