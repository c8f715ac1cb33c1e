package webhook

import (
	"errors"
	"slices"
	"time"
)

// ErrSecretNotFound says that a message names a secret that does not exist.
// Trying again can't mend it.
var ErrSecretNotFound = errors.New("secret not found")

// Keys are the secrets that sign, the current one first. The others are those
// before it: they sign before Until, and no more from then on.
type Keys struct {
	Secrets []Secret
	Until   time.Time
}

// At are the secrets that sign at an instant.
func (k Keys) At(now time.Time) []Secret {
	if len(k.Secrets) > 1 && !now.Before(k.Until) {
		return k.Secrets[:1]
	}
	return k.Secrets
}

// Adds reports whether any of them is not among those that signed before.
func (k Keys) Adds(now time.Time, signed []Secret) bool {
	return slices.ContainsFunc(k.At(now), func(s Secret) bool { return !slices.ContainsFunc(signed, s.Equal) })
}
