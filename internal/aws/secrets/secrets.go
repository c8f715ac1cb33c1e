// Package awssecrets gives what is in Secrets Manager, cached: the keys that
// sign webhooks, and the texts that configure channels.
package awssecrets

import (
	"cmp"
	"context"
	"time"

	"github.com/efferent/efferent/internal/channel"
)

// noTextFor is how long it is taken for granted that a secret is not there: a
// channel without one is not used, and every notification may ask for it.
const noTextFor = 30 * time.Second

// Texts gives the secrets that configure channels. It may be used by many
// goroutines at once.
type Texts struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time

	cache cache[string]
}

// Text returns the value of a secret as it was read at or after since, by the
// same rule as Signing.Keys. Its error wraps channel.ErrNotConfigured where
// there is none, which stands for half a minute; any other may pass.
func (s *Texts) Text(ctx context.Context, name string, since time.Time) (string, error) {
	return s.cache.get(ctx, rule[string]{
		api: s.API, now: s.Now, ttl: cmp.Or(s.TTL, DefaultTTL), absentFor: noTextFor, outage: outage, pick: pickText, make: makeText,
		absent: channel.ErrNotConfigured, unusable: channel.ErrNotConfigured, noText: "must be JSON",
	}, name, since)
}

func makeText(s source) (string, error) { return s.text, nil }
