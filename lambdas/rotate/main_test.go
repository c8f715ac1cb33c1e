package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/handlers/rotate"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.SecretGrace: "2h", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for name, value := range map[string]string{"": "", "AWS_REGION": "", settings.SecretGrace: "soon"} {
		t.Run("with "+name+"="+value, func(t *testing.T) {
			t.Parallel()
			h, err := wire(func(asked string) string {
				if asked == name {
					return value
				}
				return whole[asked]
			}, slog.New(slog.DiscardHandler))
			if name == "" && (err != nil || h == nil) || name != "" && (err == nil || !strings.Contains(err.Error(), name)) {
				t.Errorf("got %+v, %v", h, err)
			}
		})
	}
}

const (
	arn   = "arn:aws:secretsmanager:us-east-1:000000000000:secret:efferent/webhooks/acme-AbCdEf"
	token = "51f72378-6a5d-5dc7-8fd8-29e4319f482a"
	old   = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xk"
)

// begun is a store with a secret whose rotation Secrets Manager has begun.
type begun struct{}

func (begun) LoadSecrets(context.Context) ([]secretserver.Secret, error) {
	now := time.Now()
	return []secretserver.Secret{{ARN: arn, Name: "efferent/webhooks/acme", Created: now, Changed: now, Versions: []secretserver.Version{
		{ID: strings.Repeat("0", 32), Created: now, Text: aws.String(old), Stages: []string{"AWSCURRENT"}},
		{ID: token, Created: now, Stages: []string{"AWSPENDING"}},
	}}}, nil
}
func (begun) PutSecret(context.Context, secretserver.Secret) error { return nil }
func (begun) DeleteSecret(context.Context, string) error           { return nil }

// TestRotation: the function as it is wired, on a Secrets Manager, by the events
// that it gets from it ("Lambda rotation functions"; a rotation across accounts has
// RotationToken besides).
func TestRotation(t *testing.T) {
	t.Parallel()
	s, err := secretserver.Open(t.Context(), begun{}, secretserver.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(secretserver.NewHandler(s))
	t.Cleanup(server.Close)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.URL}
	h, err := wire(func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// A schedule that is set up is tested first, while there is no value yet.
	for _, step := range []string{"testSecret", "createSecret", "setSecret", "testSecret", "finishSecret", "finishSecret"} {
		var e rotate.Event
		text := `{"Step":"` + step + `","SecretId":"` + arn + `","ClientRequestToken":"` + token + `","RotationToken":"x"}`
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		if err := h.Handle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for stage, want := range map[string]func(string) bool{
		"AWSCURRENT":  func(text string) bool { return strings.HasPrefix(text, "whsec_") && text != old },
		"AWSPREVIOUS": func(text string) bool { return text == old },
	} {
		out, err := s.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn), VersionStage: &stage})
		if err != nil || !want(*out.SecretString) {
			t.Errorf("%s: %v", stage, err)
		}
	}
	d, err := s.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(arn)})
	if err != nil || len(d.VersionIdsToStages[token]) != 1 {
		t.Errorf("labels left: %v, %v", d.VersionIdsToStages, err)
	}
}
