package awssecrets

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/webhook"
)

// Values gives the values of headers that are secrets. It may be used by many
// goroutines at once.
type Values struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time

	cache cache[string]
}

// Text returns the text that ref (`name`, an ARN, either with #key for one key of a
// JSON secret) names, as it was read at or after since, by the same rule as
// Signing.Keys, and with its errors. A text that can be in no header is
// webhook.ErrSecretUnusable; what it is is in no error.
func (v *Values) Text(ctx context.Context, ref string, since time.Time) (string, error) {
	if text, ok := v.cache.known(ref, v.Now(), since); ok {
		return text, nil
	}
	return v.cache.get(ctx, rule[string]{
		api: v.API, now: v.Now, ttl: cmp.Or(v.TTL, DefaultTTL), absentFor: noKeyFor, outage: outage, pick: pickValue, make: makeValue,
		absent: webhook.ErrSecretNotFound, unusable: webhook.ErrSecretUnusable, noText: "a header's value is text",
	}, ref, since)
}

// pickValue picks the current value, of one with a history too.
func pickValue(l *reading, key string, keyed bool) (source, error) {
	if !keyed {
		return source{text: l.text}, nil
	}
	k, err := l.key(key)
	return source{text: k.Current}, err
}

// maxValue is how long a value may be, in bytes: servers take some 8 KB of headers.
const maxValue = 4096

func makeValue(s source) (string, error) {
	if problem := webhook.CheckHeader("Authorization", s.text); problem != "" || s.text == "" || len(s.text) > maxValue {
		return "", fmt.Errorf("%w: a header's value must be 1 to %d bytes, without a line break", webhook.ErrSecretUnusable, maxValue)
	}
	return s.text, nil
}
