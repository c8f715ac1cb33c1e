package awssecrets

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/webhook"
)

// manager is a Secrets Manager of one secret.
type manager struct {
	mu      sync.Mutex
	out     *secretsmanager.GetSecretValueOutput
	err     error
	calls   int
	entered chan struct{} // if set: a call says that it came …
	release chan struct{} // … and waits
}

func (m *manager) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	m.mu.Lock()
	m.calls++
	out, err := m.out, m.err
	m.mu.Unlock()
	if m.entered != nil {
		m.entered <- struct{}{}
		<-m.release
	}
	return out, err
}

func text(version, value string) *secretsmanager.GetSecretValueOutput {
	return &secretsmanager.GetSecretValueOutput{VersionId: &version, SecretString: &value}
}

var at = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func TestKeys(t *testing.T) {
	t.Parallel()
	const name = "efferent/webhooks/a"
	for _, c := range []struct {
		label, ref string
		m          *manager
		is         error
		says       string
	}{
		{label: "text", ref: name, m: &manager{out: text("v1", "topsecret")}},
		{label: "a key of JSON", ref: name + "#b", m: &manager{out: text("v1", `{"b":"topsecret"}`)}},
		{label: "no such key", ref: name + "#c", m: &manager{out: text("v1", `{"b":"topsecret"}`)}, is: webhook.ErrSecretUnusable, says: `"c"`},
		{label: "the key's value is a number", ref: name + "#b", m: &manager{out: text("v1", `{"b":7}`)}, is: webhook.ErrSecretUnusable,
			says: `"b"`},
		{label: "a key, but no JSON", ref: name + "#b", m: &manager{out: text("v1", "topsecret")}, is: webhook.ErrSecretUnusable,
			says: "not a JSON object"},
		{label: "empty", ref: name, m: &manager{out: text("v1", "")}, is: webhook.ErrSecretUnusable, says: "empty"},
		{label: "bad key", ref: name, m: &manager{out: text("v1", "whsec_topsecret!")}, is: webhook.ErrSecretUnusable, says: name},
		{label: "binary", ref: name, m: &manager{out: &secretsmanager.GetSecretValueOutput{SecretBinary: []byte("topsecret")}},
			is: webhook.ErrSecretUnusable, says: "binary"},
		{label: "missing", ref: name + "#b", m: &manager{err: &types.ResourceNotFoundException{Message: aws.String("no")}},
			is: webhook.ErrSecretNotFound, says: name},
		{label: "marked for deletion", ref: name, m: &manager{err: &types.InvalidRequestException{}}, is: webhook.ErrSecretNotFound, says: name},
		{label: "denied", ref: name, m: &manager{err: errDenied}, is: errDenied, says: name},
	} {
		t.Run(c.label, func(t *testing.T) {
			t.Parallel()
			s := &Signing{API: c.m, Now: func() time.Time { return at }}
			keys, err := s.Keys(t.Context(), c.ref, "")
			if !errors.Is(err, c.is) {
				t.Fatalf("got the error %v, want %v", err, c.is)
			}
			if err == nil && (keys.Version != "v1" || len(keys.Secrets) != 1) {
				t.Errorf("got %+v", keys)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "topsecret")) {
				t.Errorf("%q does not tell %q, or it tells the secret", err, c.says)
			}
			if c.label == "denied" && (errors.Is(err, webhook.ErrSecretNotFound) || errors.Is(err, webhook.ErrSecretUnusable)) {
				t.Error("what may pass is taken to be for good")
			}
		})
	}
}

var errDenied = errors.New("AccessDeniedException")

func TestCache(t *testing.T) {
	t.Parallel()
	now := at
	m := &manager{out: text("v1", "s")}
	s := &Signing{API: m, TTL: time.Minute, Now: func() time.Time { return now }}
	get := func(not, wantVersion string, wantCalls int) {
		t.Helper()
		keys, err := s.Keys(t.Context(), "efferent/webhooks/a", not)
		if err != nil || keys.Version != wantVersion || m.calls != wantCalls {
			t.Errorf("got version %q, error %v after %d calls; want %q after %d", keys.Version, err, m.calls, wantVersion, wantCalls)
		}
	}
	get("", "v1", 1)
	now = now.Add(59 * time.Second)
	get("", "v1", 1)
	get("v0", "v1", 1) // a newer one is cached already
	m.out = text("v2", "s")
	get("", "v1", 1)
	get("v1", "v2", 2) // refused: fetched anew
	get("v2", "v2", 3) // refused again: fetched again, and it is the same
	now = now.Add(time.Minute)
	get("", "v2", 4)
	m.err = errDenied
	now = now.Add(time.Minute)
	if _, err := s.Keys(t.Context(), "efferent/webhooks/a", ""); !errors.Is(err, errDenied) {
		t.Errorf("an expired value was used: %v", err)
	}
	m.err = nil
	get("", "v2", 6) // an error is not cached
}

func TestOneRequestForManyCallers(t *testing.T) {
	t.Parallel()
	m := &manager{out: text("v1", "s"), entered: make(chan struct{}, 2), release: make(chan struct{})}
	s := &Signing{API: m, Now: func() time.Time { return at }}
	var all sync.WaitGroup
	get := func() {
		if _, err := s.Keys(t.Context(), "a", ""); err != nil {
			t.Error(err)
		}
	}
	all.Go(get)
	<-m.entered
	for range 8 {
		all.Go(get)
	}
	close(m.release)
	all.Wait()
	if m.calls > 1 {
		t.Errorf("%d requests for 9 callers at once", m.calls)
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	m := &manager{out: text("v1", "s"), entered: make(chan struct{}), release: make(chan struct{})}
	s := &Signing{API: m, Now: func() time.Time { return at }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-m.entered; cancel() }()
	if _, err := s.Keys(ctx, "a", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(m.release)
}
