package rotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/rotation"
)

var (
	errUnknown = errors.New("it is not known which version it was made from")
	errStale   = errors.New("it was made so long ago that the key before would hardly sign any more")
)

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
	from := origin{h.Now(), old.ID}.label()
	err = h.Secrets.AddVersion(ctx, e.Secret, rotation.Version{ID: e.Token, Text: text}, rotation.Pending, from)
	switch {
	case errors.Is(err, rotation.ErrFaster):
		return nil // the same step, at the same time: there is a text
	case err != nil:
		return err
	}
	// The version was there before it had a value. That it gets a label with its
	// value is what PutSecretValue says; to give it once more is no harm.
	return h.move(ctx, e.Secret, from, "", e.Token)
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
			if !isOrigin(label) {
				continue
			}
			if err := h.move(ctx, e.Secret, label, id, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// move gives a label to a version, or takes it from one, which may have been done
// already.
func (h *Handler) move(ctx context.Context, secret, label, from, to string) error {
	if err := h.Secrets.MoveLabel(ctx, secret, label, from, to); err != nil && !errors.Is(err, rotation.ErrFaster) {
		return fmt.Errorf("move the label %s: %w", label, err)
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

// leastAge is how old what a rotation has made may always be when it is finished:
// the steps follow one another within seconds. The grace began when it was made, so
// a tenth of it may be over, and no more.
const leastAge = time.Minute

// finish makes the new version the current one. Where somebody has changed the
// secret since it was made, that would be lost: the rotation is given up, and
// nothing of it left that would keep the next one from beginning.
func (h *Handler) finish(ctx context.Context, e Event, own []string) error {
	from, ok := findOrigin(own)
	switch {
	case !ok:
		return h.giveUp(ctx, e, own, errUnknown)
	case h.Grace > 0 && h.Now().Sub(from.at) > max(h.Grace/10, leastAge):
		return h.giveUp(ctx, e, own, errStale)
	}
	err := h.Secrets.MoveLabel(ctx, e.Secret, rotation.Current, from.version, e.Token)
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

// giveUp ends a rotation that can't be finished.
func (h *Handler) giveUp(ctx context.Context, e Event, own []string, why error) error {
	why = fmt.Errorf("%w, and the next one begins anew (aws secretsmanager rotate-secret): %w", ErrEnded, why)
	return errors.Join(why, h.tidy(ctx, e, own))
}

// tidy takes away what a rotation needs until its end. Were Pending to stay on a
// version that is not the current one any more, no other rotation could begin
// ("RotateSecret" in the API reference).
func (h *Handler) tidy(ctx context.Context, e Event, own []string) error {
	for _, label := range own {
		if label != rotation.Pending && !isOrigin(label) {
			continue
		}
		if err := h.move(ctx, e.Secret, label, e.Token, ""); err != nil {
			return err
		}
	}
	return nil
}
