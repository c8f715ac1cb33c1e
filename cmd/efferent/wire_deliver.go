package main

import (
	"math/rand/v2"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// webhooksSource wires the handler that the deliver Lambda runs to its queue.
func webhooksSource(f feed, s settings.Delivery, secrets awssecrets.API, attempts deliver.Attempts) *eventsource.Source {
	handler := &deliver.Handler{
		Sender:      webhook.NewClient(webhook.Options{AllowHTTP: s.AllowHTTP, AllowPrefixes: s.AllowCIDRs}),
		Secrets:     &awssecrets.Signing{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		Attempts:    attempts,
		Queue:       f.queue(),
		Audit:       f.audit(s.AuditLanes),
		Policies:    s.Policies,
		MaxReceives: s.MaxReceives,
		Now:         time.Now,
		Jitter:      rand.Float64,
		Log:         f.log,
	}
	return f.source(handler.Handle)
}
