package outcome

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/metric"
)

// Sink takes events in, for whoever wants to know. It is used by many goroutines at
// once.
type Sink interface {
	// Tell hands events over, any number of them. When it returns nil each of them is
	// kept; after an error any part of them may be. One that is told twice has the same
	// id both times.
	Tell(ctx context.Context, events []Event) error
}

// Teller tells a Sink what it is to be told of. A nil one tells nothing, at no cost.
type Teller struct {
	Sink  Sink
	Kinds Kinds
	// Quiet is the tenant whose endpoints get the outcomes, where they are published to
	// endpoints: of what happens to these they are not told, for that would have no end.
	Quiet string
}

// Wants reports whether a kind of event of a tenant is told of.
func (t *Teller) Wants(k Kind, tenant string) bool {
	return t != nil && t.Kinds.Has(k) && (t.Quiet == "" || t.Quiet != tenant)
}

// WantsAttempt reports whether a record is the end of its message, and is told of.
func (t *Teller) WantsAttempt(r *attempt.Record) bool {
	return t != nil && r.Verdict.Final() && !IsID(r.WebhookID) && t.Wants(kindOf(r), r.Tenant)
}

// Tell tells of those of the events that are wanted, as Sink has it.
func (t *Teller) Tell(ctx context.Context, events ...Event) error {
	wanted := slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return !t.Wants(e.Kind, e.Tenant) })
	if len(wanted) == 0 {
		return nil
	}
	return t.Sink.Tell(ctx, wanted)
}

// Kinds are kinds of events.
type Kinds map[Kind]bool

// Has reports whether a kind is one of them.
func (k Kinds) Has(kind Kind) bool { return k[kind] }

// DefaultKinds are all but those of deliveries, which are as many as the messages.
const DefaultKinds = "delivery.failed,endpoint.*,notification.bounced,notification.complained,notification.undelivered"

// ParseKinds reads a list of kinds: "delivery.failed,endpoint.*"; "*" is all of them,
// and an empty text is DefaultKinds.
func ParseKinds(text string) (Kinds, error) {
	if strings.TrimSpace(text) == "" {
		text = DefaultKinds
	}
	kinds := Kinds{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		known := false
		for _, k := range All {
			if matches(part, string(k)) {
				kinds[k], known = true, true
			}
		}
		if !known {
			return nil, fmt.Errorf("%.60q is none of the kinds of outcomes: %v, delivery.*, endpoint.*, notification.* and *", part, All)
		}
	}
	return kinds, nil
}

// matches reports whether a pattern has a kind.
func matches(pattern, kind string) bool {
	prefix, many := strings.CutSuffix(pattern, ".*")
	return pattern == "*" || pattern == kind || many && strings.HasPrefix(kind, prefix+".")
}

// Now tells of events that nothing comes back for: where that fails, a line of the log
// is what there is of each.
func (t *Teller) Now(ctx context.Context, m metric.Recorder, log *slog.Logger, events ...Event) {
	err := t.Tell(ctx, events...)
	if err == nil {
		return
	}
	for _, e := range events {
		if t.Wants(e.Kind, e.Tenant) {
			log.ErrorContext(ctx, "an outcome was told to nobody", "outcome", e.Kind, "id", e.ID, "tenant", e.Tenant, "subject", e.Subject,
				"error", err)
			metric.To(m, metric.Event{Name: metric.OutcomesUntold, Value: 1, Labels: metric.Labels{Action: string(e.Kind)}})
		}
	}
}
