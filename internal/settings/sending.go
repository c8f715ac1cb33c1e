package settings

import (
	"net/url"
	"time"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/webhook"
)

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
	// FewMetrics says that no more are written than alarms are on.
	FewMetrics bool
}

func (r *reader) sending() Sending {
	return Sending{
		Policies:    parsed(r, RetryPolicies, retry.ParsePolicies),
		MaxReceives: r.number(MaxReceives, DefaultMaxReceives, LeastReceives, MostReceives),
		AuditLanes:  r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		SecretTTL:   parsed(r, SecretTTL, parseTTL),
		Proxy:       parsed(r, Proxy, webhook.ParseProxy),
		Redaction:   r.redaction(),
		FewMetrics:  parsed(r, Metrics, parseMetrics),
	}
}
