package awssecrets

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/ledger"
)

// TestTokenKeys: two who make the first key at once have the same one; after a new value
// the one before is good too, and no more after the next.
func TestTokenKeys(t *testing.T) {
	t.Parallel()
	v, now := newVault(t), time.Unix(1_790_000_000, 0)
	clock := func() time.Time { return now }
	const name = "efferent/tokens"
	one, other := &TokenKeys{API: v, Name: name, Now: clock}, &TokenKeys{API: v, Name: name, Now: clock}
	first, err := one.TokenKeys(t.Context())
	if err != nil || len(first) != 1 || len(first[0]) < ledger.RedactionKeySize {
		t.Fatal(len(first), err)
	}
	if again, err := other.TokenKeys(t.Context()); err != nil || string(again[0]) != string(first[0]) {
		t.Errorf("another has another one: %v", err)
	}
	put := func(text string) {
		t.Helper()
		id := name
		if _, err := v.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: &text}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(tokenKeyTTL)
	}
	second, third := strings.Repeat("2", 32), strings.Repeat("3", 32)
	put(second)
	if k, err := one.TokenKeys(t.Context()); err != nil || len(k) != 2 || string(k[0]) != second || string(k[1]) != string(first[0]) {
		t.Errorf("after one: %d keys, %v", len(k), err)
	}
	put(third)
	if k, err := one.TokenKeys(t.Context()); err != nil || len(k) != 2 || string(k[0]) != third || string(k[1]) != second {
		t.Errorf("after two: %d keys, %v", len(k), err)
	}
	put("short")
	if _, err := one.TokenKeys(t.Context()); err == nil || strings.Contains(err.Error(), `"short"`) {
		t.Errorf("a key that can be guessed: %v", err)
	}
}
