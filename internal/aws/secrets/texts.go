package awssecrets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/channel"
)

// absentTTL is how long a secret that is not there is not asked for again.
const absentTTL = 30 * time.Second

// Texts gives the secrets that configure channels, cached. It may be used by
// many goroutines at once.
type Texts struct {
	API API
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time

	mu    sync.Mutex
	cache map[string]kept
}

// kept is a secret's value, or that there is none, until it is asked for again.
type kept struct {
	value string
	err   error
	until time.Time
}

// Text returns the value of a secret. Its error wraps channel.ErrNotConfigured
// where there is none, or what Secrets Manager answered, which may pass.
func (s *Texts) Text(ctx context.Context, name string, _ time.Time) (string, error) {
	// One request at a time: there are three secrets, and a batch wants the
	// same one.
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if t, ok := s.cache[name]; ok && now.Before(t.until) {
		return t.value, t.err
	}
	ctx, stop := context.WithTimeout(ctx, fetchTimeout)
	defer stop()
	out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var missing *types.ResourceNotFoundException
	var invalid *types.InvalidRequestException // marked for deletion
	t := kept{until: now.Add(cmp.Or(s.TTL, DefaultTTL))}
	switch {
	case errors.As(err, &missing), errors.As(err, &invalid):
		t.err, t.until = fmt.Errorf("secret %q: %w", name, channel.ErrNotConfigured), now.Add(absentTTL)
	case err != nil:
		return "", fmt.Errorf("secret %q can't be read: %w", name, err)
	case out.SecretString == nil:
		t.err = fmt.Errorf("secret %q: %w: it is binary, and must be JSON", name, channel.ErrNotConfigured)
	default:
		t.value = *out.SecretString
	}
	if s.cache == nil {
		s.cache = map[string]kept{}
	}
	s.cache[name] = t
	return t.value, t.err
}
