package rotation_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/storetest"
)

const name = "efferent/webhooks/acme"

var errDown = errors.New("down")

// store is one whose calls may go wrong.
type store struct {
	storetest.Memory
	mu    sync.Mutex
	calls int
	// faults are the calls that fail; with true they have their effect all the same.
	faults map[int]bool
	// before is what somebody else does ahead of a call.
	before map[int]func()
}

func (s *store) call(do func() error) error {
	s.mu.Lock()
	s.calls++
	before := s.before[s.calls]
	effect, fails := s.faults[s.calls]
	s.mu.Unlock()
	if before != nil {
		before()
	}
	if fails && !effect {
		return errDown
	}
	err := do()
	if fails {
		return errDown
	}
	return err
}

func (s *store) ReadVersion(ctx context.Context, secret, label string) (v rotation.Version, err error) {
	err = s.call(func() error { v, err = s.Memory.ReadVersion(ctx, secret, label); return err })
	if err != nil {
		v = rotation.Version{}
	}
	return v, err
}

func (s *store) CreateSecret(ctx context.Context, secret string, v rotation.Version) error {
	return s.call(func() error { return s.Memory.CreateSecret(ctx, secret, v) })
}

func (s *store) AddVersion(ctx context.Context, secret string, v rotation.Version, labels ...string) error {
	return s.call(func() error { return s.Memory.AddVersion(ctx, secret, v, labels...) })
}

func (s *store) MoveLabel(ctx context.Context, secret, label, from, to string) error {
	return s.call(func() error { return s.Memory.MoveLabel(ctx, secret, label, from, to) })
}

// holds is the secret's text, "" where there is none.
func (s *store) holds(t *testing.T, label string) string {
	t.Helper()
	v, err := s.Memory.ReadVersion(t.Context(), name, label)
	if err != nil && !errors.Is(err, rotation.ErrNone) {
		t.Fatal(err)
	}
	return v.Text
}

// put makes the secret what it is, by somebody else.
func (s *store) put(t *testing.T, text string) {
	t.Helper()
	_, err := rotation.Change(t.Context(), &s.Memory, name, func(rotation.Version) (string, error) { return text, nil })
	if err != nil {
		t.Error(err)
	}
}
