package webhook

import "errors"

// ErrSecretNotFound says that a message names a secret that does not exist.
// Trying again can't mend it.
var ErrSecretNotFound = errors.New("secret not found")

// Keys are the secrets that sign now, the current one first, and the version
// of the current one.
type Keys struct {
	Version string
	Secrets []Secret
}
