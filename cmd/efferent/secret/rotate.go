package secret

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

type secretRotateCommand struct {
	secretFlags
	Name     string         `arg:"" help:"${rotate_name}"`
	Value    *string        `arg:"" optional:"" help:"${rotate_value}"`
	Generate bool           `help:"Make the new key, of the kind of the old one: what is done without a value."`
	Grace    *time.Duration `placeholder:"24h" help:"${rotate_grace}"`
}

func (c *secretRotateCommand) Run(ctx context.Context) error {
	ref, err := readSecretRef(c.Name)
	if err != nil {
		return err
	}
	r := &rotate{ref: ref, made: c.Value == nil, now: time.Now(), grace: signingkey.DefaultGrace, graced: c.Grace != nil}
	if err := c.read(ctx, r); err != nil {
		return err
	}
	kept, err := c.change(ctx, ref, r.text)
	if err != nil {
		return err
	}
	told := Changed{
		Secret: c.Name, Version: kept.ID, ReceiverKey: receiverKey(r.fresh, r.made), Unchanged: r.same, notes: r.notes, done: r.done(),
	}
	if r.ref.keyed && r.grace > 0 && !r.same {
		told.PreviousUntil = r.until()
	}
	return told.print(c.JSON)
}

// read takes in what was given.
func (c *secretRotateCommand) read(ctx context.Context, r *rotate) (err error) {
	switch {
	case !r.ref.signs():
		return console.Misusedf("rotating makes new keys for secrets that sign webhooks, under %s; put %s its new JSON", webhook.SecretPrefix,
			c.Name)
	case c.Value != nil && c.Generate:
		return console.Misusedf("give a value or --generate, not both")
	case c.Grace != nil:
		if err := signingkey.CheckGrace(*c.Grace); err != nil {
			return console.Misusedf("--grace: %w", err)
		}
		r.grace = *c.Grace
	}
	if c.Value == nil {
		return nil
	}
	if r.fresh, err = givenSecret(ctx, c.Name, c.Value); err != nil {
		return err
	}
	if warning, err := checkSigning(r.fresh); err != nil {
		return fmt.Errorf("%s is not rotated: %w", c.Name, err)
	} else if warning != "" {
		r.warnings = append(r.warnings, warning)
	}
	return nil
}

// rotate is a key on its way into a secret. The same one is tried again where
// somebody else was faster.
type rotate struct {
	ref   secretRef
	fresh string // the new key; "" before it is made
	made  bool   // it is made here
	now   time.Time
	grace time.Duration
	// graced says that the grace was given.
	graced bool

	same            bool // it is the current key already
	warnings, notes []string
}

// text is the secret's text with the new key in the place of the current one.
func (r *rotate) text(old rotation.Version) (string, error) {
	r.notes, r.same = slices.Clone(r.warnings), false
	keys, err := signingkey.Parse(old.Text)
	switch {
	case old.ID == "":
		return "", fmt.Errorf("there is no secret %s to rotate; put one: efferent secret put %s", r.ref.name, r.ref.name)
	case r.ref.keyed && err != nil:
		return "", fmt.Errorf("%s holds no JSON object, and so no key %q; where it holds one key, rotate that: efferent secret rotate %s",
			r.ref.name, r.ref.key, r.ref.name)
	case r.ref.keyed:
		return r.key(old.Text, keys)
	case err == nil:
		return "", fmt.Errorf("%s holds several keys; rotate one, by %s#KEY, of: %s", r.ref.name, r.ref.name, strings.Join(keys.Names(), ", "))
	case signingkey.Begins(old.Text):
		return "", fmt.Errorf("%s begins as JSON: %w; it is left as it is", r.ref.name, err)
	case r.graced:
		return "", fmt.Errorf("--grace is for a key of a JSON secret: of %s, which holds one key, the one before signs for as long "+
			"as the deployment says (EFFERENT_SECRET_GRACE)", r.ref.name)
	}
	r.make(old.Text)
	return r.fresh, nil
}

// key rotates one key of a JSON secret.
func (r *rotate) key(text string, keys signingkey.Object) (string, error) {
	last, err := keys.Key(r.ref.key)
	if err != nil {
		return "", fmt.Errorf("%s: %w; put one: efferent secret put %s#%s", r.ref.name, err, r.ref.name, r.ref.key)
	}
	r.make(last.Current)
	if older := last.At(r.now); len(older) > 1 && !r.same {
		r.notes = append(r.notes, "the key before the last one signs no more; it would have until "+last.Until.Format(time.RFC3339))
	}
	return signingkey.Rotate(text, r.ref.key, r.fresh, r.now, r.grace)
}

// make makes the new key, once.
func (r *rotate) make(last string) {
	if r.fresh == "" {
		r.fresh = webhook.NewSecret(last)
	}
	r.same = r.fresh == last
}

func (r *rotate) until() string { return r.now.Add(r.grace).UTC().Format(time.RFC3339) }

// done is what was done, in words.
func (r *rotate) done() string {
	name := r.ref.name
	if r.ref.keyed {
		name += "#" + r.ref.key
	}
	switch {
	case r.same:
		return name + " has this key already: nothing was changed"
	case !r.ref.keyed:
		return "rotated " + name + ": the key before signs beside it for as long as the deployment says (EFFERENT_SECRET_GRACE, 24h by default)"
	case r.grace == 0:
		return "rotated " + name + ": the key before signs no more"
	}
	return "rotated " + name + ": the key before signs beside it until " + r.until()
}
