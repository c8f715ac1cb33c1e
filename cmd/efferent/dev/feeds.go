package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/settings"
)

// webhooksSource wires the handler that the deliver Lambda runs to its queue.
func webhooksSource(f assembly.Feed, s settings.Webhooks, secrets awssecrets.API, kept assembly.Stores) (*eventsource.Source, error) {
	handler, err := assembly.Deliverer(f, s, secrets, kept)
	if err != nil {
		return nil, err
	}
	return f.Source(handler.Handle, 2*assembly.MostInFlight), nil
}

// eventsSource wires the handler that the fanout Lambda runs to its queue. What it
// makes of events goes to the queue webhooks, at a URL.
func eventsSource(f assembly.Feed, webhooks string, s settings.Sending, kept assembly.Stores) (*eventsource.Source, error) {
	handle, err := assembly.Fanner(f, webhooks, s, kept)
	if err != nil {
		return nil, err
	}
	return f.Source(handle, assembly.EventBatches), nil
}

// notificationsSource wires the handler that the notify Lambda runs to its
// queue.
func notificationsSource(f assembly.Feed, n assembly.Notices) (*eventsource.Source, error) {
	handle, err := assembly.Notifier(f, n)
	if err != nil {
		return nil, err
	}
	return f.Source(handle, assembly.NotifyBatches()), nil
}

// fillSecrets keeps the channels' secrets that environment variables give.
// Those that they do not give stay as they are. Their names begin with prefix.
func fillSecrets(ctx context.Context, secrets awssecrets.PutAPI, prefix string, getenv func(string) string) error {
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
		if err := awssecrets.Put(ctx, secrets, channel.SecretUnder(prefix, on), text); err != nil {
			return err
		}
	}
	return nil
}

// reportsSource wires the handler that the report Lambda runs to its queue. What comes
// back goes on by the queue notifications, at a URL.
func reportsSource(f assembly.Feed, notifications string, s settings.Sending, kept assembly.Stores) (*eventsource.Source, error) {
	handle, err := assembly.Reporter(f, notifications, s, kept)
	if err != nil {
		return nil, err
	}
	return f.Source(handle, assembly.ReportBatches), nil
}
