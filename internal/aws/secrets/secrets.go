// Package awssecrets gives what is in Secrets Manager, cached: the keys that
// sign webhooks, and the texts that configure channels.
package awssecrets

import (
	"cmp"
	"context"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/webhook"
)

// How long it is taken for granted that a secret is not there, or is no key. A
// signing secret is named by a message, which is dead without it, and lives
// again once the secret is put: that is to be seen at once, so it is only the
// messages of a batch that share a look-up. A channel without a secret is one
// that is not used, and every notification may ask for it.
const (
	noKeyFor  = 200 * time.Millisecond
	noTextFor = 30 * time.Second
)

// Signing gives webhook signing keys. It may be used by many goroutines at
// once.
type Signing struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time

	cache cache[webhook.Keys]
}

// Keys returns what ref (`name`, an ARN, either with #key for one key of a
// JSON secret) signs with, as it was read at or after since. A secret is read
// at most once in half a minute, or in the TTL where that is shorter; until
// then what is cached is given, however old that is against since. The zero
// since takes whatever is cached within the TTL. Keys of another Version have
// another text.
//
// Errors wrap webhook.ErrSecretNotFound or webhook.ErrSecretUnusable, and stand
// for a fifth of a second; or they are what Secrets Manager answered, which may
// pass, and stand for a second. Where a read fails and there are keys within the
// TTL, or up to a day past it, those are given; at the latest after a second.
func (s *Signing) Keys(ctx context.Context, ref string, since time.Time) (webhook.Keys, error) {
	if keys, ok := s.cache.known(ref, s.Now(), since); ok {
		return keys, nil
	}
	return s.cache.get(ctx, s.rule(), ref, since)
}

func (s *Signing) rule() rule[webhook.Keys] {
	return rule[webhook.Keys]{
		api: s.API, now: s.Now, ttl: cmp.Or(s.TTL, DefaultTTL), absentFor: noKeyFor, outage: outage, make: makeKeys,
		absent: webhook.ErrSecretNotFound, unusable: webhook.ErrSecretUnusable, noText: "a signing secret is text",
	}
}

func makeKeys(text, version string) (webhook.Keys, error) {
	secret, err := webhook.ParseSecret(text)
	if err != nil {
		return webhook.Keys{}, err
	}
	return webhook.Keys{Version: version, Secrets: []webhook.Secret{secret}}, nil
}

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
		api: s.API, now: s.Now, ttl: cmp.Or(s.TTL, DefaultTTL), absentFor: noTextFor, outage: outage, make: makeText,
		absent: channel.ErrNotConfigured, unusable: channel.ErrNotConfigured, noText: "must be JSON",
	}, name, since)
}

func makeText(text, _ string) (string, error) { return text, nil }
