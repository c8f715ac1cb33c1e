package settings

import (
	"net/url"
	"time"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/webhook"
)

// OutcomesMissing is the metric that counts outcomes of attempts that the ledger
// will not hold; its dimensions are function, and action.
const OutcomesMissing = "OutcomesMissing"

// OldestUndelivered is the metric of how old the oldest message is that is
// neither delivered nor dead, in seconds; its dimension is function. SQS's own
// leaves out what was received three times.
const OldestUndelivered = "OldestUndelivered"

// Sending is what holds for webhooks and notifications alike, wherever the
// handler runs.
type Sending struct {
	Policies    retry.Policies
	MaxReceives int
	AuditLanes  int
	SecretTTL   time.Duration
	// ChannelSecrets is what the names of the channels' secrets begin with; only
	// ReadNotifications knows.
	ChannelSecrets string
	// Proxy makes connections to what is outside; nil where there is none.
	Proxy *url.URL
	Redaction
}

func (r *reader) sending() Sending {
	return Sending{
		Policies:    parsed(r, RetryPolicies, retry.ParsePolicies),
		MaxReceives: r.number(MaxReceives, DefaultMaxReceives, leastReceives, 1000),
		AuditLanes:  r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		SecretTTL:   parsed(r, SecretTTL, parseTTL),
		Proxy:       parsed(r, Proxy, webhook.ParseProxy),
		Redaction:   r.redaction(),
	}
}
