package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/rotation"
)

// SecretStore is all that is promised of secrets' versions.
type SecretStore interface {
	rotation.Store
	VersionLabels(ctx context.Context, secret string) (map[string][]string, error)
}

// TestSecrets runs the suite of what rotation.Store promises. The store may be
// shared by all of its tests: each has a secret of its own.
func TestSecrets(t *testing.T, store SecretStore) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, secrets){
		"nothing is there at first":          secretsEmpty,
		"one is made once":                   secretsMade,
		"a version is added once":            secretsAdded,
		"labels move from where they are":    secretsMoved,
		"the current one goes and comes":     secretsCurrent,
		"of many at once one moves a label":  secretsAtOnce,
		"a label is taken from who has it":   secretsLabelTaken,
		"an added version waits for its day": secretsUnlabelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, secrets{store, "efferent/webhooks/" + uuid.NewString()})
		})
	}
}

// secrets is the store as one test sees it.
type secrets struct {
	SecretStore
	name string
}

// made is the secret's first version.
func (s secrets) made(t *testing.T) rotation.Version {
	t.Helper()
	v := rotation.Version{ID: uuid.NewString(), Text: "first"}
	if err := s.CreateSecret(t.Context(), s.name, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// added is one more.
func (s secrets) added(t *testing.T, text string, labels ...string) rotation.Version {
	t.Helper()
	v := rotation.Version{ID: uuid.NewString(), Text: text}
	if err := s.AddVersion(t.Context(), s.name, v, labels...); err != nil {
		t.Fatal(err)
	}
	return v
}

// want is where labels are, by the version's ID.
func (s secrets) want(t *testing.T, want map[string][]string) {
	t.Helper()
	got, err := s.VersionLabels(t.Context(), s.name)
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if d := gocmp.Diff(want, got, sorted); err != nil || d != "" {
		t.Fatalf("labels: %v (-want +got):\n%s", err, d)
	}
}

func (s secrets) read(t *testing.T, label string, want rotation.Version) {
	t.Helper()
	if got, err := s.ReadVersion(t.Context(), s.name, label); err != nil || got != want {
		t.Fatalf("%s: got %v, %v; want %v", label, got, err, want)
	}
}

func is(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func secretsEmpty(t *testing.T, s secrets) {
	_, err := s.ReadVersion(t.Context(), s.name, rotation.Current)
	is(t, err, rotation.ErrNone)
	_, err = s.VersionLabels(t.Context(), s.name)
	is(t, err, rotation.ErrNone)
	is(t, s.AddVersion(t.Context(), s.name, rotation.Version{ID: uuid.NewString(), Text: "x"}, "mine"), rotation.ErrNone)
	arn := "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + s.name + "-AbCdEf"
	is(t, s.CreateSecret(t.Context(), arn, rotation.Version{ID: uuid.NewString(), Text: "x"}), rotation.ErrNone)
}

func secretsMade(t *testing.T, s secrets) {
	v := s.made(t)
	is(t, s.CreateSecret(t.Context(), s.name, v), nil) // again
	is(t, s.CreateSecret(t.Context(), s.name, rotation.Version{ID: uuid.NewString(), Text: "other"}), rotation.ErrFaster)
	s.read(t, rotation.Current, v)
	s.want(t, map[string][]string{v.ID: {rotation.Current}})
	_, err := s.ReadVersion(t.Context(), s.name, rotation.Previous)
	is(t, err, rotation.ErrNone)
}

func secretsAdded(t *testing.T, s secrets) {
	first := s.made(t)
	v := s.added(t, "next", "mine", "ours")
	is(t, s.AddVersion(t.Context(), s.name, v, "mine"), nil) // again
	is(t, s.AddVersion(t.Context(), s.name, rotation.Version{ID: v.ID, Text: "other"}, "mine"), rotation.ErrFaster)
	s.read(t, "mine", v)
	s.read(t, rotation.Current, first)
	s.want(t, map[string][]string{first.ID: {rotation.Current}, v.ID: {"mine", "ours"}})
}

func secretsMoved(t *testing.T, s secrets) {
	first := s.made(t)
	v := s.added(t, "next", "mine")
	for _, refused := range [][2]string{{first.ID, v.ID}, {first.ID, ""}, {"", first.ID}, {uuid.NewString(), v.ID}, {v.ID, uuid.NewString()}} {
		is(t, s.MoveLabel(t.Context(), s.name, "mine", refused[0], refused[1]), rotation.ErrFaster)
	}
	s.want(t, map[string][]string{first.ID: {rotation.Current}, v.ID: {"mine"}})
	is(t, s.MoveLabel(t.Context(), s.name, "mine", v.ID, first.ID), nil)
	is(t, s.MoveLabel(t.Context(), s.name, "new", "", first.ID), nil)
	s.want(t, map[string][]string{first.ID: {rotation.Current, "mine", "new"}})
	is(t, s.MoveLabel(t.Context(), s.name, "mine", first.ID, ""), nil)
	s.want(t, map[string][]string{first.ID: {rotation.Current, "new"}})
}

func secretsCurrent(t *testing.T, s secrets) {
	first := s.made(t)
	v := s.added(t, "next", "mine")
	is(t, s.MoveLabel(t.Context(), s.name, rotation.Current, first.ID, v.ID), nil)
	s.want(t, map[string][]string{first.ID: {rotation.Previous}, v.ID: {rotation.Current, "mine"}})
	is(t, s.MoveLabel(t.Context(), s.name, rotation.Current, first.ID, v.ID), rotation.ErrFaster) // again
	s.read(t, rotation.Previous, first)
	third := s.added(t, "third", "mine")
	is(t, s.MoveLabel(t.Context(), s.name, rotation.Current, v.ID, third.ID), nil)
	s.want(t, map[string][]string{v.ID: {rotation.Previous}, third.ID: {rotation.Current, "mine"}})
}

func secretsLabelTaken(t *testing.T, s secrets) {
	first := s.made(t)
	s.added(t, "a", "mine")
	b := s.added(t, "b", "mine")
	s.want(t, map[string][]string{first.ID: {rotation.Current}, b.ID: {"mine"}})
}

// secretsUnlabelled: what rotation.Change rests on. A version that lost its label
// to somebody else's can become the current one.
func secretsUnlabelled(t *testing.T, s secrets) {
	first := s.made(t)
	a := s.added(t, "a", "mine")
	b := s.added(t, "b", "mine")
	is(t, s.MoveLabel(t.Context(), s.name, rotation.Current, first.ID, a.ID), nil)
	s.read(t, rotation.Current, a)
	s.want(t, map[string][]string{first.ID: {rotation.Previous}, a.ID: {rotation.Current}, b.ID: {"mine"}})
}

func secretsAtOnce(t *testing.T, s secrets) {
	first := s.made(t)
	var versions []rotation.Version
	for range 8 {
		versions = append(versions, s.added(t, "next", "mine"))
	}
	errs := make([]error, len(versions))
	var all sync.WaitGroup
	for i, v := range versions {
		all.Go(func() { errs[i] = s.MoveLabel(t.Context(), s.name, rotation.Current, first.ID, v.ID) })
	}
	all.Wait()
	won := slices.Index(errs, nil)
	for i, err := range errs {
		if i != won {
			is(t, err, rotation.ErrFaster)
		}
	}
	if won < 0 {
		t.Fatal("nobody got it")
	}
	s.read(t, rotation.Current, versions[won])
}
