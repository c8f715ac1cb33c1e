package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jonboulle/clockwork"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awsses "github.com/efferent/efferent/internal/aws/ses"
	awssms "github.com/efferent/efferent/internal/aws/sms"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/channel/senders"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/notify"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
)

// notices is what the handler of notifications takes beside its queue.
type notices struct {
	settings settings.Notifications
	senders  notify.Senders
	kept     stores
	files    notify.Files
}

// notificationsSource wires the handler that the notify Lambda runs to its
// queue.
func notificationsSource(f feed, n notices) (*eventsource.Source, error) {
	handle, err := notifier(f, n)
	if err != nil {
		return nil, err
	}
	return f.source(handle, notifyBatches()), nil
}

// notifier is that handler.
func notifier(f feed, n notices) (eventsource.Handler, error) {
	handler, err := notify.New(notify.Needs{
		Needs:        f.needs("notify", n.settings.Sending, n.kept.attempts),
		Senders:      n.senders,
		Claims:       n.kept.claims,
		Recipients:   n.kept.recipients,
		Suppressions: n.kept.suppressed,
		Parts:        &awssqs.Outgoing{API: f.queues, URLs: map[string]string{settings.NotificationsQueue: f.url}},
		Files:        n.files,
		Tenants:      n.settings.Tenants,
		Pace:         &pace.Keeper{Store: n.kept.paces, Patience: notify.Patience, Now: f.now, Log: f.log},
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}

// notificationSettings are those of a process that nobody pays for by the metric: it
// counts all tenants apart, unless it is told otherwise.
func notificationSettings(getenv func(string) string) (settings.Notifications, error) {
	return settings.ReadNotifications(func(name string) string {
		if value := getenv(name); value != "" || name != settings.MetricTenants {
			return value
		}
		return settings.AllTenants
	})
}

// providers are the senders by the secrets' configurations, without AWS's own.
func providers(s settings.Notifications, secrets awssecrets.API) *senders.Maker {
	return &senders.Maker{
		Prefix:   s.ChannelSecrets,
		Secrets:  &awssecrets.Texts{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		HTTP:     exchange.NewTransportBy(s.Proxy),
		Webhooks: awssecrets.Client(secrets, s.Client(), s.CABundle, settings.CABundle),
		Clock:    clockwork.NewRealClock(),
	}
}

// withAWS adds AWS's own senders, with the caller's own credentials.
func withAWS(p *senders.Maker, config aws.Config) *senders.Maker {
	p.SES = func(c channel.EmailConfig) channel.Sender { return awsses.New(config, c) }
	p.EndUserMessaging = func(c channel.SMSConfig) channel.Sender { return awssms.New(config, c) }
	return p
}

// fillSecrets keeps the channels' secrets that environment variables give.
// Those that they do not give stay as they are. Their names begin with prefix.
func fillSecrets(ctx context.Context, secrets putSecretAPI, prefix string, getenv func(string) string) error {
	for _, on := range channel.Names {
		text, err := channel.DevSecret(on, getenv)
		if errors.Is(err, channel.ErrNotConfigured) {
			continue
		}
		if err == nil {
			err = channel.CheckSecret(channel.SecretName(on), text)
		}
		if err != nil {
			return fmt.Errorf("the environment's configuration of %s: %w", on, err)
		}
		if err := putSecret(ctx, secrets, channel.SecretUnder(prefix, on), text); err != nil {
			return err
		}
	}
	return nil
}
