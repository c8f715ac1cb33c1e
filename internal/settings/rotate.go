package settings

import (
	"errors"
	"time"
)

// Rotate is how the rotate Lambda replaces keys.
type Rotate struct {
	// SecretGrace is as Webhooks has it.
	SecretGrace time.Duration
}

// ReadRotate reads the settings of rotations.
func ReadRotate(getenv func(string) string) (Rotate, error) {
	r := reader{getenv: getenv}
	s := Rotate{SecretGrace: parsed(&r, SecretGrace, parseGrace)}
	return s, errors.Join(r.errs...)
}
