package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
)

// change changes a secret, and loses nothing that others do at the same time.
func (f *secretFlags) change(ctx context.Context, ref secretRef, made func(rotation.Version) (string, error)) (
	v rotation.Version, err error) {
	client, err := f.Secrets(ctx)
	if err != nil {
		return v, err
	}
	v, err = rotation.Change(ctx, &awssecrets.Versions{API: client}, ref.id, made)
	if err != nil && strings.Contains(err.Error(), "deletion") {
		return v, fmt.Errorf("%w; restore it (aws secretsmanager restore-secret), or take another name", err)
	}
	return v, err
}

// put is a value on its way into a secret.
type put struct {
	ref     secretRef
	value   string
	replace bool

	warnings, notes []string
}

// text is the secret's text with the value in it.
func (p *put) text(old rotation.Version) (string, error) {
	p.notes = slices.Clone(p.warnings)
	if p.ref.keyed {
		return p.key(old.Text)
	}
	_, isKeys := signingkey.Parse(old.Text)
	_, becomesKeys := signingkey.Parse(p.value)
	switch {
	case p.replace || !p.ref.signs() || old.ID == "" || (isKeys == nil) == (becomesKeys == nil):
		return p.value, nil
	case isKeys == nil:
		return "", fmt.Errorf("%s holds a JSON object of keys, and what names one of them could not be signed any more; "+
			"set one by %s#KEY, or put this in the place of them all with --replace", p.ref.name, p.ref.name)
	}
	return "", fmt.Errorf("%s holds one key, and what names it without #KEY could not be signed any more; "+
		"use another name, or put this in its place with --replace", p.ref.name)
}

// key is the secret's text with one key set. The others stay as they are.
func (p *put) key(text string) (string, error) {
	whole, err := signingkey.Put(text, p.ref.key, p.value)
	switch {
	case errors.Is(err, signingkey.ErrNotObject):
		return "", fmt.Errorf("%s holds no JSON object, so the key %q can't be set; use another name, or put the whole with --replace: {%q: …}",
			p.ref.name, p.ref.key, p.ref.key)
	case err != nil:
		return "", fmt.Errorf("%s is not kept: %w", p.ref.name, err)
	case !p.ref.signs():
		return whole, channel.CheckSecret(p.ref.name, whole)
	}
	if last, is := currentKey(text, p.ref.key); is && last != p.value {
		p.notes = append(p.notes, fmt.Sprintf("another key was there, which now signs only until the secret is written again; "+
			"`efferent secret rotate %s#%s` lets both sign for a whole grace", p.ref.name, p.ref.key))
	}
	return whole, nil
}

func currentKey(text, name string) (current string, is bool) {
	keys, err := signingkey.Parse(text)
	if err != nil {
		return "", false
	}
	key, err := keys.Key(name)
	return key.Current, err == nil
}
