package awssecrets

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/storetest"
)

// inManager is a rotation.Store in a Secrets Manager.
type inManager struct {
	*Versions
	*Labels
}

func newInManager(api interface {
	VersionsAPI
	LabelsAPI
}) inManager {
	return inManager{&Versions{api}, &Labels{api}}
}

// overHTTP is a Secrets Manager as the SDK meets it, behind whatever is between.
func overHTTP(t *testing.T, between func(http.Handler) http.Handler) *secretsmanager.Client {
	t.Helper()
	s, err := secretserver.Open(t.Context(), noStore{}, secretserver.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	handler := secretserver.NewHandler(s)
	if between != nil {
		handler = between(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

func TestVersions(t *testing.T) {
	t.Parallel()
	storetest.TestSecrets(t, newInManager(overHTTP(t, nil)))
}

// TestAbsentVersions: what is there, and has no text to read.
func TestAbsentVersions(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	s := newInManager(v)
	v.put(t, "")
	if _, err := s.ReadVersion(t.Context(), keysSecret, rotation.Current); !errors.Is(err, rotation.ErrNone) {
		t.Errorf("a secret without a value: %v", err)
	}
	first := rotation.Version{ID: "11111111-1111-4111-8111-111111111111", Text: "x"}
	if err := s.AddVersion(t.Context(), keysSecret, first, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveLabel(t.Context(), keysSecret, rotation.Current, "", first.ID); err != nil {
		t.Errorf("the first version is the current one, and is not made so: %v", err)
	}
	in := &secretsmanager.PutSecretValueInput{SecretId: aws.String(keysSecret), SecretBinary: []byte("hunter2")}
	if _, err := v.Server.PutSecretValue(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadVersion(t.Context(), keysSecret, rotation.Current); err == nil || errors.Is(err, rotation.ErrNone) {
		t.Errorf("a binary secret: %v", err)
	}
}
