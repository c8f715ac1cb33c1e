package rotation

import (
	"errors"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

var errNoKeys = errors.New("it holds no key that begins with whsec_ or whsk_, and none with a history")

// Renew makes a secret's text with a new key in the place of each, of the same
// kind. In a JSON secret the keys until now sign for the grace from now; what is
// not surely a key stays as it is, for a text may be a note: a key has a prefix, or
// a history. For how long the key of another secret signs is not its own to say:
// Secrets Manager keeps the version before.
//
// Its errors say what is wrong with the text, and never quote it.
func Renew(text string, now time.Time, grace time.Duration) (string, error) {
	keys, err := signingkey.Parse(text)
	if err != nil {
		return renewPlain(text, err)
	}
	renewed := 0
	for _, name := range keys.Names() {
		key, err := keys.Key(name)
		if err != nil && !errors.Is(err, signingkey.ErrNoKey) {
			return "", err
		}
		if !key.Historic && !webhook.Prefixed(key.Current) {
			continue
		}
		if _, err := webhook.ParseSecret(key.Current); err != nil {
			return "", fmt.Errorf("key %q: %w", name, err)
		}
		if text, err = signingkey.Rotate(text, name, webhook.NewSecret(key.Current), now, grace); err != nil {
			return "", err
		}
		renewed++
	}
	if renewed == 0 {
		return "", errNoKeys
	}
	return text, nil
}

// renewPlain takes a text that is no JSON object for the reason given. What begins
// as one was meant as one, and is not replaced.
func renewPlain(text string, why error) (string, error) {
	if signingkey.Begins(text) {
		return "", why
	}
	if _, err := webhook.ParseSecret(text); err != nil {
		return "", err
	}
	return webhook.NewSecret(text), nil
}
