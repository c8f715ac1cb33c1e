package settings

import (
	"time"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// Sending is what holds for webhooks and notifications alike, wherever the
// handler runs.
type Sending struct {
	Policies    retry.Policies
	MaxReceives int
	AuditLanes  int
	SecretTTL   time.Duration
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
		Redaction:   r.redaction(),
		FewMetrics:  parsed(r, Metrics, parseMetrics),
	}
}
