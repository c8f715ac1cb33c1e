// Package rotate is the rotation function of Secrets Manager ("Lambda rotation
// functions" in its user guide): on a schedule, new keys take the place of those
// that sign webhooks, which sign beside them for a while.
//
// Secrets Manager calls it for each step of a rotation, and again where one fails.
// A step that is repeated does nothing more.
package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
)

// Secrets are those that are rotated.
type Secrets interface {
	rotation.Versions
	// VersionLabels gives the labels of each version that has any, by its ID; of one
	// without a value too.
	VersionLabels(ctx context.Context, secret string) (map[string][]string, error)
}

// Needs is what a Handler works with.
type Needs struct {
	Secrets Secrets
	// Grace is how long a key of a JSON secret signs beside the new one, 0 to 7 days.
	Grace time.Duration `need:"optional"`
	Now   func() time.Time
	Log   *slog.Logger
}

// Handler takes the steps of rotations.
type Handler struct{ Needs }

// New refuses a need that is missing or out of range.
func New(n Needs) (*Handler, error) {
	if err := errors.Join(need.All(n), signingkey.CheckGrace(n.Grace)); err != nil {
		return nil, fmt.Errorf("rotate: %w", err)
	}
	return &Handler{n}, nil
}

// Event is what Secrets Manager asks for.
type Event struct {
	Step   string `json:"Step"`
	Secret string `json:"SecretId"` // an ARN
	// Token is the ID of the version that the rotation makes.
	Token string `json:"ClientRequestToken"`
}

var (
	// ErrEnded says that a step is of a rotation which is over, or was given up.
	ErrEnded = errors.New("the rotation has ended")
	// ErrStep says that a step is none.
	ErrStep = errors.New("not a step of a rotation")
)

// Handle takes a step. Secrets Manager retries what fails, from the first step on.
func (h *Handler) Handle(ctx context.Context, e Event) error {
	err := h.handle(ctx, e)
	if err != nil {
		err = fmt.Errorf("%s of version %s of secret %q: %w", e.Step, e.Token, e.Secret, err)
		h.Log.ErrorContext(ctx, "a secret was not rotated", "step", e.Step, "secret", e.Secret, "version", e.Token, "error", err)
	}
	return err
}

func (h *Handler) handle(ctx context.Context, e Event) error {
	labels, err := h.Secrets.VersionLabels(ctx, e.Secret)
	if err != nil {
		return fmt.Errorf("where its labels are: %w", err)
	}
	switch own := labels[e.Token]; {
	case became(own):
		return h.tidy(ctx, e, own) // a step that comes again, late
	case !slices.Contains(own, rotation.Pending):
		return fmt.Errorf("%w: the version is not %s; begin a new one (aws secretsmanager rotate-secret)", ErrEnded, rotation.Pending)
	}
	switch e.Step {
	case "createSecret":
		return h.create(ctx, e, labels)
	case "setSecret":
		// The receivers are other people's: who runs the deployment gives them the key.
		return nil
	case "testSecret":
		return h.test(ctx, e)
	case "finishSecret":
		return h.finish(ctx, e, labels[e.Token])
	}
	return fmt.Errorf("%q: %w", e.Step, ErrStep)
}

// became reports whether a version is the current one, or was before the present
// one.
func became(labels []string) bool {
	return slices.Contains(labels, rotation.Current) || slices.Contains(labels, rotation.Previous)
}
