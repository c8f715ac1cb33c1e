package metric_test

import (
	"slices"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
)

// TestValuesAreThoseInUse: what others call verdicts, channels, classes, phases and
// actions are values of their dimensions, and so not counted as other.
func TestValuesAreThoseInUse(t *testing.T) {
	t.Parallel()
	var channels []string
	for _, on := range channel.Names {
		channels = append(channels, string(on))
	}
	for _, c := range []struct {
		name, dimension string
		used            []string
	}{
		{metric.Attempts, metric.Verdict, []string{string(attempt.Delivered), string(attempt.Retryable), string(attempt.Permanent),
			string(attempt.Exhausted)}},
		{metric.Attempts, metric.Channel, channels},
		{metric.ExchangeLatency, metric.Channel, channels},
		{metric.Misconfigured, metric.Channel, channels},
		{metric.Notifications, metric.Channel, channels},
		{metric.Failures, metric.Reason, []string{string(channel.Permanent), string(channel.Transient), string(channel.Configuration),
			string(channel.Unknown), string(channel.OptedOut)}},
		{metric.CircuitChanges, metric.Phase, []string{string(circuit.Open), string(circuit.Closed)}},
		{metric.OutcomesMissing, metric.Action, []string{ledger.WebhookDelivered, ledger.WebhookFailed, ledger.NotificationSent,
			ledger.NotificationFailed}},
		{metric.OutcomesUntold, metric.Action, []string{string(outcome.Delivered), string(outcome.Failed), string(outcome.Failing),
			string(outcome.Recovered), string(outcome.Disabled), string(outcome.Verified), string(outcome.Updated)}},
	} {
		known := metric.Values(c.name, c.dimension)
		for _, value := range c.used {
			if !slices.Contains(known, value) {
				t.Errorf("%s by %s does not know %q", c.name, c.dimension, value)
			}
		}
	}
}
