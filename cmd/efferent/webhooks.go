package main

import (
	"log/slog"
	"math/rand/v2"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/deliver"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// webhooksParts is what delivering webhooks takes, wherever the queues are.
type webhooksParts struct {
	settings settings.Delivery
	queues   interface {
		awssqs.ConsumeAPI
		awssqs.SendAPI
	}
	webhooksURL, webhooksARN, auditURL, region string
	secrets                                    awssecrets.API
	attempts                                   deliver.Attempts
	log                                        *slog.Logger
	// grace is how long a batch in hand may take at the end; 0 is the event
	// source's own.
	grace time.Duration
}

// webhooksSource wires the handler that the deliver Lambda runs to its queue.
func webhooksSource(p webhooksParts) *eventsource.Source {
	queue := &awssqs.Queue{API: p.queues, URL: p.webhooksURL, ARN: p.webhooksARN, Region: p.region}
	handler := &deliver.Handler{
		Sender:      webhook.NewClient(webhook.Options{AllowHTTP: p.settings.AllowHTTP, AllowPrefixes: p.settings.AllowCIDRs}),
		Secrets:     &awssecrets.Signing{API: p.secrets, TTL: p.settings.SecretTTL, Now: time.Now},
		Attempts:    p.attempts,
		Queue:       queue,
		Audit:       &awssqs.Audit{API: p.queues, URL: p.auditURL, Lanes: p.settings.AuditLanes},
		Policies:    p.settings.Policies,
		MaxReceives: p.settings.MaxReceives,
		Now:         time.Now,
		Jitter:      rand.Float64,
		Log:         p.log,
	}
	return eventsource.New(queue, handler.Handle, eventsource.Options{Log: p.log, Grace: p.grace})
}
