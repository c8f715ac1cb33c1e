// Package secretserver is a small AWS Secrets Manager in one process.
//
// Its methods have the signatures of the SDK's client, so what is written
// against the one works with the other.
package secretserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Store keeps secrets. Its methods may be called concurrently.
type Store interface {
	// LoadSecrets gives all that are kept.
	LoadSecrets(ctx context.Context) ([]Secret, error)
	// PutSecret creates or replaces the secret of that name, with all its
	// versions. It is durable when PutSecret returns nil. After an error it
	// may have been kept all the same.
	PutSecret(ctx context.Context, s Secret) error
}

// Options are a server's settings. Zero values mean the defaults.
type Options struct {
	Now     func() time.Time // time.Now
	Region  string           // us-east-1
	Account string           // 000000000000
	Logger  *slog.Logger     // slog.Default()
}

// Server is a set of secrets. Its methods may be called concurrently. Their
// errors are the SDK's own types. When the store fails, secrets are as before
// and the call can be repeated.
type Server struct {
	store  Store
	now    func() time.Time
	log    *slog.Logger
	prefix string // of ARNs

	mu      sync.RWMutex
	secrets map[string]*Secret // by name; never changed, only replaced
}

// Open loads what store keeps. The server does not close store.
func Open(ctx context.Context, store Store, o Options) (*Server, error) {
	s := &Server{
		store:   store,
		now:     o.Now,
		log:     cmp.Or(o.Logger, slog.Default()),
		prefix:  fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:", cmp.Or(o.Region, "us-east-1"), cmp.Or(o.Account, "000000000000")),
		secrets: map[string]*Secret{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	list, err := store.LoadSecrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("load secrets: %w", err)
	}
	for i := range list {
		s.secrets[list[i].Name] = &list[i]
	}
	return s, nil
}

// save keeps a secret and makes it the one of its name. mu must be held.
func (s *Server) save(ctx context.Context, secret *Secret) error {
	if err := s.store.PutSecret(ctx, *secret); err != nil {
		s.log.Error("the secrets' store failed", "secret", secret.Name, "error", err)
		return internalError(err)
	}
	s.secrets[secret.Name] = secret
	return nil
}

// find is the secret that an id names: by its name, or by its ARN with or
// without the six random characters. mu must be held.
func (s *Server) find(id *string) (*Secret, error) {
	if id == nil || *id == "" {
		return nil, invalidParameter("The request must contain SecretId.")
	}
	name, isARN := strings.CutPrefix(*id, s.prefix)
	if found := s.secrets[name]; found != nil {
		return found, nil
	}
	if i := len(name) - suffixLength - 1; isARN && i > 0 {
		if found := s.secrets[name[:i]]; found != nil && found.ARN == *id {
			return found, nil
		}
	}
	return nil, notFound("Secrets Manager can't find the specified secret.")
}

// suffixLength is how many random characters an ARN ends with, so that a
// secret made again under an old name is told from the old one.
const suffixLength = 6

func (s *Server) newARN(name string) string {
	return s.prefix + name + "-" + rand.Text()[:suffixLength]
}
