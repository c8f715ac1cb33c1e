package rotation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	// next is the label of a version that is about to become the current one: with a
	// label of its own, a new version leaves Current where it is. Two who write at
	// once take it from each other, which is harmless: Secrets Manager does not
	// remove a version of less than 24 hours, labelled or not ("PutSecretValue"). A
	// label for each of them would stay where one dies, and there can be 20.
	next = "efferent-next"
	// tries is how often a change is made again because another was faster. Each is a
	// version, of which there can be 100.
	tries = 20
	// faults is how many calls may fail, beside those repeated by the SDK.
	faults = 3
	// MaxText is the longest text of a secret, in bytes ("AWS Secrets Manager quotas").
	MaxText = 65536
)

// change is one that is being made.
type change struct {
	store  Store
	secret string
	make   func(Version) (string, error)
	added  []string // the IDs of what was made, any of which may have become current
	faults int
}

// Change makes a secret's current version into what make gives for its text, and
// returns the new one; or the one that there is, where the text stays the same.
// make gets the zero Version where there is no secret, or none with a value; then
// the secret is made. It is asked again where somebody else was faster, and so it
// must be content with its own work: a call whose answer was lost may have done it.
// Its error is Change's.
//
// No change of another one is lost, and none of one's own is made twice. ErrFaster
// says that others were faster time and again.
func Change(ctx context.Context, store Store, secret string, make func(old Version) (string, error)) (Version, error) {
	c := &change{store: store, secret: secret, make: make}
	for try := range tries {
		v, err := c.once(ctx)
		if err == nil || !c.again(err) {
			return v, c.told(err)
		}
		if err := pause(ctx, try); err != nil {
			return Version{}, fmt.Errorf("secret %q: %w", secret, err)
		}
	}
	return Version{}, fmt.Errorf("secret %q was not changed: %d times somebody else was faster; try again: %w", secret, tries, ErrFaster)
}

// final is an error that another try would not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// again reports whether another try is worth it. A call that failed may have had
// its effect: what was added is looked for first.
func (c *change) again(err error) bool {
	if errors.Is(err, ErrFaster) {
		return true
	}
	c.faults++
	return !errors.As(err, new(final)) && len(c.added) > 0 && c.faults < faults
}

// told says so where it is not known whether the change was made.
func (c *change) told(err error) error {
	if err == nil || errors.As(err, new(final)) || len(c.added) == 0 {
		return err
	}
	return fmt.Errorf("%w; it may have been changed all the same, so look before you repeat it", err)
}

func (c *change) once(ctx context.Context) (Version, error) {
	old, err := c.store.ReadVersion(ctx, c.secret, Current)
	if err != nil && !errors.Is(err, ErrNone) {
		return Version{}, fmt.Errorf("read the secret %q: %w", c.secret, err)
	}
	if mine, err := c.took(ctx, old); mine.ID != "" || err != nil {
		return mine, err
	}
	text, err := c.make(old)
	switch {
	case err != nil:
		return Version{}, final{err}
	case text == old.Text && old.ID != "":
		return old, nil
	case len(text) > MaxText:
		return Version{}, final{fmt.Errorf("secret %q would have %d bytes, and can have %d; %w", c.secret, len(text), MaxText, ErrFull)}
	}
	v := Version{ID: uuid.NewString(), Text: text}
	if err := c.put(ctx, old, v); err != nil {
		return Version{}, fmt.Errorf("keep the secret %q: %w", c.secret, err)
	}
	return v, nil
}

// took gives what was added and is the current version, or was before somebody
// built on it: a call that failed had its effect.
func (c *change) took(ctx context.Context, now Version) (mine Version, err error) {
	if len(c.added) == 0 {
		return Version{}, nil
	}
	if slices.Contains(c.added, now.ID) {
		return now, nil
	}
	before, err := c.store.ReadVersion(ctx, c.secret, Previous)
	if err != nil && !errors.Is(err, ErrNone) {
		return Version{}, fmt.Errorf("read the secret %q: %w", c.secret, err)
	}
	if slices.Contains(c.added, before.ID) {
		return before, nil
	}
	return Version{}, nil
}

// put makes a version the current one, in the place of the one that it was made
// from.
func (c *change) put(ctx context.Context, old, v Version) error {
	c.added = append(c.added, v.ID)
	err := c.store.AddVersion(ctx, c.secret, v, next)
	if errors.Is(err, ErrNone) && old.ID == "" {
		if err = c.store.CreateSecret(ctx, c.secret, v); errors.Is(err, ErrNone) {
			return final{err}
		}
		return err
	}
	if err != nil {
		return err
	}
	return c.store.MoveLabel(ctx, c.secret, Current, old.ID, v.ID)
}

// pause lets others finish: up to 20 ms, then up to twice as long each time, up to
// a second.
func pause(ctx context.Context, try int) error {
	wait := time.NewTimer(rand.N(min(20*time.Millisecond<<try, time.Second)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
