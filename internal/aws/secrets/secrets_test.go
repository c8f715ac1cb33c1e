package awssecrets

import (
	"context"
	"errors"
	"slices"
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
	mu  sync.Mutex
	out *secretsmanager.GetSecretValueOutput
	err error
	// AWSPREVIOUS's; without either there is none
	previous *secretsmanager.GetSecretValueOutput
	lost     error
	calls    int
	release  chan struct{} // if set: a call waits for it to be closed
	hangs    string        // … only one for that stage
}

func (m *manager) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	m.mu.Lock()
	m.calls++
	out, err := m.out, m.err
	if aws.ToString(in.VersionStage) == stagePrevious {
		if out, err = m.previous, m.lost; out == nil && err == nil {
			err = &types.ResourceNotFoundException{}
		}
	}
	m.mu.Unlock()
	if m.release != nil && (m.hangs == "" || m.hangs == aws.ToString(in.VersionStage)) {
		select {
		case <-m.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return out, err
}

func text(version, value string) *secretsmanager.GetSecretValueOutput {
	return &secretsmanager.GetSecretValueOutput{VersionId: &version, SecretString: &value}
}

// signs reports whether those and no other keys sign, in that order. "" is none.
func signs(keys webhook.Keys, now time.Time, texts ...string) bool {
	var want []webhook.Secret
	for _, text := range texts {
		if secret, err := webhook.ParseSecret(text); err == nil {
			want = append(want, secret)
		}
	}
	return slices.EqualFunc(keys.At(now), want, webhook.Secret.Equal)
}

var at = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func TestKeys(t *testing.T) {
	t.Parallel()
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
			keys, err := s.Keys(t.Context(), c.ref, time.Time{})
			if !errors.Is(err, c.is) {
				t.Fatalf("got the error %v, want %v", err, c.is)
			}
			if err == nil && !signs(keys, at, "topsecret") {
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
