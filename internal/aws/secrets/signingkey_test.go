package awssecrets

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/ledger"
)

// oneSecret is a Secrets Manager with one text.
type oneSecret struct {
	API
	text string
	err  error
}

func (s oneSecret) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: &s.text}, s.err
}

func TestLedgerKey(t *testing.T) {
	t.Parallel()
	text, err := ledger.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"ours": text}
	if openssl, err := exec.LookPath("openssl"); err == nil {
		out, err := exec.Command(openssl, "genpkey", "-algorithm", "ed25519").Output()
		if err != nil {
			t.Fatal(err)
		}
		texts["openssl's"] = string(out)
	}
	for name, text := range texts {
		k := &LedgerKey{API: oneSecret{text: text}, Name: "efferent/ledger/key"}
		s, err := ledger.NewSigner(t.Context(), "ledger.test", k)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		signature, err := s.Sign([]byte("text"))
		if err != nil || !s.Verify([]byte("text"), signature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLedgerKeyErrors(t *testing.T) {
	t.Parallel()
	denied := errors.New("denied")
	for name, api := range map[string]oneSecret{
		"denied": {err: denied}, "no PEM": {text: "hunter2"},
		"another key": {text: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
	} {
		k := &LedgerKey{API: api, Name: "efferent/ledger/key"}
		_, err := k.Sign(t.Context(), nil)
		if _, other := k.Public(t.Context()); err == nil || other == nil || !strings.Contains(err.Error(), "efferent/ledger/key") ||
			strings.Contains(err.Error(), "hunter2") || api.err != nil && !errors.Is(err, denied) {
			t.Errorf("%s: got %v, %v", name, err, other)
		}
	}
}
