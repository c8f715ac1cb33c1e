package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/rotation"
)

// madeFrom begins a label of the version that a rotation makes. The rest of it is
// the ID of the version that was current then, in whose place alone it may become
// the current one.
const madeFrom = "efferent-from-"

var errUnknown = errors.New("it is not known which version it was made from")

// create makes the new version's text of the current one's.
func (h *Handler) create(ctx context.Context, e Event, labels map[string][]string) error {
	_, err := h.Secrets.ReadVersion(ctx, e.Secret, rotation.Pending)
	if !errors.Is(err, rotation.ErrNone) {
		return err // nil: it was made before
	}
	old, text, err := h.renewed(ctx, e)
	if err != nil {
		return err
	}
	if err := h.clear(ctx, e, labels); err != nil {
		return err
	}
	err = h.Secrets.AddVersion(ctx, e.Secret, rotation.Version{ID: e.Token, Text: text}, rotation.Pending, madeFrom+old.ID)
	if errors.Is(err, rotation.ErrFaster) {
		return nil // the same step, at the same time: there is a text
	}
	return err
}

func (h *Handler) renewed(ctx context.Context, e Event) (old rotation.Version, text string, err error) {
	if old, err = h.Secrets.ReadVersion(ctx, e.Secret, rotation.Current); err != nil {
		return old, "", fmt.Errorf("read what is to be rotated: %w", err)
	}
	if text, err = rotation.Renew(old.Text, h.Now(), h.Grace); err != nil {
		return old, "", fmt.Errorf("there is nothing to rotate: %w", err)
	}
	return old, text, nil
}

// clear takes the labels away that rotations left which ended between two calls: a
// secret can have 20.
func (h *Handler) clear(ctx context.Context, e Event, labels map[string][]string) error {
	for id, all := range labels {
		for _, label := range all {
			if !isMadeFrom(label) {
				continue
			}
			if err := h.drop(ctx, e.Secret, label, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop takes a label away, which may be gone already.
func (h *Handler) drop(ctx context.Context, secret, label, id string) error {
	if err := h.Secrets.MoveLabel(ctx, secret, label, id, ""); err != nil && !errors.Is(err, rotation.ErrFaster) {
		return fmt.Errorf("take the label %s away: %w", label, err)
	}
	return nil
}

// test reads the new version's keys. Where there is none, a schedule is being set
// up, and Secrets Manager asks whether the secret can be rotated at all
// ("RotateSecret" in the API reference: RotateImmediately).
func (h *Handler) test(ctx context.Context, e Event) error {
	made, err := h.Secrets.ReadVersion(ctx, e.Secret, rotation.Pending)
	if errors.Is(err, rotation.ErrNone) {
		_, _, err := h.renewed(ctx, e)
		return err
	}
	if err != nil {
		return err
	}
	if _, err := rotation.Renew(made.Text, h.Now(), h.Grace); err != nil {
		return fmt.Errorf("what was made can't sign: %w", err)
	}
	return nil
}

// finish makes the new version the current one. Where somebody has changed the
// secret since it was made, that would be lost: the rotation is given up, and
// nothing of it left that would keep the next one from beginning.
func (h *Handler) finish(ctx context.Context, e Event, own []string) error {
	i := slices.IndexFunc(own, isMadeFrom)
	if i < 0 {
		return h.giveUp(ctx, e, own, errUnknown)
	}
	from := strings.TrimPrefix(own[i], madeFrom)
	err := h.Secrets.MoveLabel(ctx, e.Secret, rotation.Current, from, e.Token)
	if errors.Is(err, rotation.ErrFaster) {
		labels, again := h.Secrets.VersionLabels(ctx, e.Secret)
		if again != nil {
			return fmt.Errorf("where its labels are: %w", again)
		}
		if !became(labels[e.Token]) {
			return h.giveUp(ctx, e, own, err)
		}
	} else if err != nil {
		return err
	}
	h.Log.InfoContext(ctx, "a secret was rotated", "secret", e.Secret, "version", e.Token)
	return h.tidy(ctx, e, own)
}

func isMadeFrom(label string) bool { return strings.HasPrefix(label, madeFrom) }

// giveUp ends a rotation that can't be finished.
func (h *Handler) giveUp(ctx context.Context, e Event, own []string, why error) error {
	return errors.Join(fmt.Errorf("%w, and the next one begins anew (aws secretsmanager rotate-secret): %w", ErrEnded, why), h.tidy(ctx, e, own))
}

// tidy takes away what a rotation needs until its end. Were Pending to stay on a
// version that is not the current one any more, no other rotation could begin
// ("RotateSecret" in the API reference).
func (h *Handler) tidy(ctx context.Context, e Event, own []string) error {
	for _, label := range own {
		if label != rotation.Pending && !isMadeFrom(label) {
			continue
		}
		if err := h.drop(ctx, e.Secret, label, e.Token); err != nil {
			return err
		}
	}
	return nil
}
