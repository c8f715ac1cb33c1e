package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/signingkey"
)

// stagePrevious is on the version that was the current one before. Secrets
// Manager moves it there when AWSCURRENT moves ("What's in a Secrets Manager
// secret?").
const stagePrevious = "AWSPREVIOUS"

// staged is the version of a secret that has a staging label.
type staged struct {
	text    string // "" where there is none
	version string
	created time.Time
	object  func() (signingkey.Object, error)
}

func stagedIn(out *secretsmanager.GetSecretValueOutput) staged {
	text := aws.ToString(out.SecretString)
	return staged{
		text: text, version: aws.ToString(out.VersionId), created: aws.ToTime(out.CreatedDate),
		object: sync.OnceValues(func() (signingkey.Object, error) { return signingkey.Parse(text) }),
	}
}

// key is a key of a JSON secret.
func (s staged) key(name string) (signingkey.Key, error) {
	if s.object == nil {
		return signingkey.Key{}, signingkey.ErrNoKey
	}
	o, err := s.object()
	if err != nil {
		return signingkey.Key{}, fmt.Errorf("%w, so it has no key %q", err, name)
	}
	return o.Key(name)
}

// readPrevious completes a reading while the version before is of use. That it
// can't be read spoils nothing: it is tried again in half a minute, and until
// then what is known counts.
func (r *rule[T]) readPrevious(ctx context.Context, name string, l *reading) {
	if r.grace <= 0 || !l.at.Before(l.created.Add(r.grace)) {
		return
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	out, err := r.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: aws.String(stagePrevious)})
	var none *types.ResourceNotFoundException
	switch {
	case err == nil:
		l.previous = stagedIn(out)
	case !errors.As(err, &none):
		l.lacks, l.until = true, l.at.Add(min(quiet, r.ttl))
	}
}

// before is the version before that of a newer reading which lacks it, as far as
// the last reading tells.
func (l *reading) before(next *reading) staged {
	switch {
	case l == nil:
		return staged{}
	case l.version == next.version:
		return l.previous
	}
	return l.staged
}

// pickText takes the whole text, or the text under a key.
func pickText(l *reading, key string, keyed bool) (source, error) {
	if !keyed {
		return source{text: l.text}, nil
	}
	k, err := l.key(key)
	if err == nil && k.Historic {
		err = fmt.Errorf("it has no text under the key %q", key)
	}
	return source{text: k.Current}, err
}
