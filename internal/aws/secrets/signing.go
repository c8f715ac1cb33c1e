package awssecrets

import (
	"cmp"
	"context"
	"time"

	"github.com/efferent/efferent/internal/webhook"
)

// noKeyFor is how long it is taken for granted that a secret is not there, or is
// no key. It is named by a message, which is dead without it, and lives again
// once the secret is put: that is to be seen at once, so it is only the messages
// of a batch that share a look-up.
const noKeyFor = 200 * time.Millisecond

// Signing gives webhook signing keys. It may be used by many goroutines at
// once.
//
// A key that is a secret's whole value, or the text under a key of a JSON secret,
// is followed by the one that AWSPREVIOUS has there, until Grace after AWSCURRENT
// was made. A key of a JSON secret with a history of its own is followed by what
// that says, whatever AWSPREVIOUS has.
type Signing struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	// Grace is how long after a rotation the key before signs too; 0: not at all.
	Grace time.Duration
	Now   func() time.Time

	cache cache[webhook.Keys]
}

// Keys returns what ref (`name`, an ARN, either with #key for one key of a
// JSON secret) signs with, as it was read at or after since. A secret is read
// at most once in half a minute, or in the TTL where that is shorter; until
// then what is cached is given, however old that is against since. The zero
// since takes whatever is cached within the TTL.
//
// Errors wrap webhook.ErrSecretNotFound or webhook.ErrSecretUnusable, and stand
// for a fifth of a second; or they are what Secrets Manager answered, which may
// pass, and stand for a second. Where a read fails and there are keys within the
// TTL, or up to a day past it, those are given; at the latest after a second.
// What was before the current key is never an error: without it that one signs
// alone.
func (s *Signing) Keys(ctx context.Context, ref string, since time.Time) (webhook.Keys, error) {
	if keys, ok := s.cache.known(ref, s.Now(), since); ok {
		return keys, nil
	}
	return s.cache.get(ctx, s.rule(), ref, since)
}

// Changed says that the secret that ref names was changed at a time. What was read of it
// before is read anew by who asks next, however recently that was: once, whether it
// can be read then or not.
func (s *Signing) Changed(ref string, at time.Time) { s.cache.changed(ref, at) }

func (s *Signing) rule() rule[webhook.Keys] {
	return rule[webhook.Keys]{
		api: s.API, now: s.Now, ttl: cmp.Or(s.TTL, DefaultTTL), absentFor: noKeyFor, outage: outage, grace: s.Grace,
		pick: s.pick, make: makeKeys,
		absent: webhook.ErrSecretNotFound, unusable: webhook.ErrSecretUnusable, noText: "a signing secret is text",
	}
}

func (s *Signing) pick(l *reading, key string, keyed bool) (source, error) {
	ended := l.created.Add(s.Grace)
	if !keyed {
		return follow(l.text, l.previous.text, ended), nil
	}
	k, err := l.key(key)
	switch {
	case err != nil:
		return source{}, err
	case k.Historic:
		return follow(k.Current, k.Previous, k.Until), nil
	}
	before, _ := l.previous.key(key)
	return follow(k.Current, before.Current, ended), nil
}

// follow is a text and the one before it, if that is another one.
func follow(text, previous string, until time.Time) source {
	if previous == "" || previous == text {
		return source{text: text}
	}
	return source{text, previous, until.UTC()}
}

// makeKeys makes keys of a text and the one before. Where that is no key, the
// text signs alone.
func makeKeys(s source) (webhook.Keys, error) {
	current, err := webhook.ParseSecret(s.text)
	if err != nil {
		return webhook.Keys{}, err
	}
	keys := webhook.Keys{Secrets: []webhook.Secret{current}}
	if previous, err := webhook.ParseSecret(s.previous); err == nil {
		keys.Secrets, keys.Until = append(keys.Secrets, previous), s.until
	}
	return keys, nil
}
