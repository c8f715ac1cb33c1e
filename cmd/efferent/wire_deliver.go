package main

import (
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// webhooksSource wires the handler that the deliver Lambda runs to its queue.
func webhooksSource(f feed, s settings.Webhooks, secrets awssecrets.API, attempts batch.Attempts) (*eventsource.Source, error) {
	sending := s.Client()
	sending.MaxConnections = connections()
	handler, err := deliver.New(deliver.Needs{
		Needs:   f.needs(s.Sending, attempts),
		Sender:  webhook.NewClient(sending),
		Secrets: &awssecrets.Signing{API: secrets, TTL: s.SecretTTL, Now: time.Now},
	})
	if err != nil {
		return nil, err
	}
	return f.source(handler.Handle), nil
}
