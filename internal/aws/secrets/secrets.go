// Package awssecrets gives signing keys from Secrets Manager, cached.
package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/singleflight"

	"github.com/efferent/efferent/internal/webhook"
)

// API is what reading a secret takes.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.GetSecretValueOutput, error)
}

// DefaultTTL is how long a value is used before it is fetched again.
const DefaultTTL = 5 * time.Minute

// fetchTimeout bounds one look-up, so that an unreachable Secrets Manager does
// not use up the time of a batch's other messages.
const fetchTimeout = 3 * time.Second

// Signing gives webhook signing keys. It may be used by many goroutines at
// once; look-ups of the same secret at the same time are one request.
type Signing struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time

	cache   sync.Map // reference → cached
	flights singleflight.Group
}

type cached struct {
	keys webhook.Keys
	at   time.Time
}

// Keys returns what ref (`name`, an ARN, either with #key for one key of a
// JSON secret) signs with. A cached value of version `not` is fetched anew.
// Errors wrap webhook.ErrSecretNotFound, webhook.ErrSecretUnusable, or what
// Secrets Manager answered, which may pass.
func (s *Signing) Keys(ctx context.Context, ref string, since time.Time) (webhook.Keys, error) {
	not := ""
	if v, ok := s.cache.Load(ref); ok && !since.IsZero() && v.(cached).at.Before(since) {
		not = v.(cached).keys.Version
	}
	if keys, ok := s.cached(ref, not); ok {
		return keys, nil
	}
	ch := s.flights.DoChan(ref+" not "+not, func() (any, error) {
		if keys, ok := s.cached(ref, not); ok { // it came while this caller was on its way here
			return keys, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		at := s.Now()
		keys, err := s.fetch(ctx, ref)
		if err != nil {
			return nil, err
		}
		s.cache.Store(ref, cached{keys, at})
		return keys, nil
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return webhook.Keys{}, r.Err
		}
		return r.Val.(webhook.Keys), nil
	case <-ctx.Done():
		return webhook.Keys{}, fmt.Errorf("secret %q: %w", ref, ctx.Err())
	}
}

func (s *Signing) cached(ref, not string) (webhook.Keys, bool) {
	v, ok := s.cache.Load(ref)
	if !ok {
		return webhook.Keys{}, false
	}
	c := v.(cached)
	return c.keys, c.keys.Version != not && s.Now().Sub(c.at) < s.ttl()
}

func (s *Signing) ttl() time.Duration {
	if s.TTL == 0 {
		return DefaultTTL
	}
	return s.TTL
}

func (s *Signing) fetch(ctx context.Context, ref string) (webhook.Keys, error) {
	name, key, keyed := strings.Cut(ref, "#")
	out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return webhook.Keys{}, explain(name, err)
	}
	value := aws.ToString(out.SecretString)
	if out.SecretString == nil {
		return webhook.Keys{}, fmt.Errorf("secret %q: %w: it is binary, and a signing secret is text", name, webhook.ErrSecretUnusable)
	}
	if keyed {
		if value, err = pick(value, key); err != nil {
			return webhook.Keys{}, fmt.Errorf("secret %q: %w: %w", name, webhook.ErrSecretUnusable, err)
		}
	}
	secret, err := webhook.ParseSecret(value)
	if err != nil {
		return webhook.Keys{}, fmt.Errorf("secret %q: %w", ref, err)
	}
	return webhook.Keys{Version: aws.ToString(out.VersionId), Secrets: []webhook.Secret{secret}}, nil
}

// explain puts Secrets Manager's answers into our words. A secret that is
// marked for deletion answers InvalidRequestException.
func explain(name string, err error) error {
	var missing *types.ResourceNotFoundException
	var invalid *types.InvalidRequestException
	if errors.As(err, &missing) || errors.As(err, &invalid) {
		return fmt.Errorf("%w: %q", webhook.ErrSecretNotFound, name)
	}
	return fmt.Errorf("secret %q can't be read: %w", name, err)
}

// pick takes one key of a JSON secret. Its errors never quote the secret.
func pick(value, key string) (string, error) {
	var all map[string]any
	if json.Unmarshal([]byte(value), &all) != nil {
		return "", fmt.Errorf("it is not a JSON object, so it has no key %q", key)
	}
	v, ok := all[key].(string)
	if !ok {
		return "", fmt.Errorf("it has no text under the key %q", key)
	}
	return v, nil
}
