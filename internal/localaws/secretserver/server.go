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
	"regexp"
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
	// DeleteSecret deletes the secret of that name with all its versions; one
	// that is not there is no error. It is durable when DeleteSecret returns
	// nil. After an error it may have been deleted all the same.
	DeleteSecret(ctx context.Context, name string) error
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

// Open loads what store keeps, and deletes the secrets whose recovery window
// has ended. The server does not close store.
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
	if err := s.Sweep(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Sweep deletes the secrets whose recovery window has ended.
func (s *Server) Sweep(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, secret := range s.secrets {
		if !secret.gone(s.now()) {
			continue
		}
		if err := s.remove(ctx, secret); err != nil {
			return fmt.Errorf("delete secret %s, whose recovery window has ended: %w", name, err)
		}
	}
	return nil
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

// remove deletes a secret for good. mu must be held.
func (s *Server) remove(ctx context.Context, secret *Secret) error {
	if err := s.store.DeleteSecret(ctx, secret.Name); err != nil {
		s.log.Error("the secrets' store failed", "secret", secret.Name, "error", err)
		return internalError(err)
	}
	delete(s.secrets, secret.Name)
	return nil
}

// change saves what edit makes of a copy of the secret that id names, unless
// edit says that nothing has changed, and gives the secret as it is then.
func (s *Server) change(ctx context.Context, id *string, edit func(*Secret) (changed bool, err error)) (*Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := s.live(id)
	if err != nil {
		return nil, err
	}
	edited := secret.clone()
	edited.Changed = s.now()
	changed, err := edit(edited)
	if err != nil || !changed {
		return secret, err
	}
	return edited, s.save(ctx, edited)
}

// present is the secret of that name, nil if its recovery window has ended.
// mu must be held.
func (s *Server) present(name string) *Secret {
	if secret := s.secrets[name]; secret != nil && !secret.gone(s.now()) {
		return secret
	}
	return nil
}

// live is find without the secrets that are scheduled for deletion.
func (s *Server) live(id *string) (*Secret, error) {
	secret, err := s.find(id)
	if err == nil && secret.scheduled() {
		return nil, invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return secret, err
}

// secretID: names of secrets that AWS services manage have exclamation marks.
var secretID = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

// wholeARN is how a complete ARN ends. A partial one that ends like this is
// taken for a complete one ("Troubleshoot AWS Secrets Manager": finding a
// secret from a partial ARN).
var wholeARN = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

// find is the secret that an id names: by its name, or by its ARN with or
// without the six random characters. mu must be held.
func (s *Server) find(id *string) (*Secret, error) {
	if id == nil || *id == "" {
		return nil, invalidParameter("The request must contain SecretId.")
	}
	if err := checkLength("secretId", len(*id), 1, 2048); err != nil {
		return nil, err
	}
	isARN := strings.HasPrefix(*id, "arn:")
	if !isARN && !secretID.MatchString(*id) {
		return nil, invalidName()
	}
	name, isOurs := strings.CutPrefix(*id, s.prefix)
	switch {
	case isARN && !isOurs:
	case isARN && wholeARN.MatchString(name):
		if found := s.present(name[:len(name)-suffixLength-1]); found != nil && found.ARN == *id {
			return found, nil
		}
	default:
		if found := s.present(name); found != nil {
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
