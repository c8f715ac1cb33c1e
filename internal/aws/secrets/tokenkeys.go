package awssecrets

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/rotation"
)

const (
	// tokenKeyTTL is how long the keys of tokens are used before they are read again.
	tokenKeyTTL = time.Minute
	// tokenKeySize is how many bytes of randomness a key is made of, and the fewest that
	// one may have: as many as its hash (RFC 7518, section 3.2).
	tokenKeySize = 32
)

// TokenKeys are the keys that sign the API's own tokens, in a secret that is made where
// there is none: its current version signs, and the one before is good too until the
// next one. It may be used by many goroutines at once.
type TokenKeys struct {
	API VersionsAPI
	// Name is the secret's name.
	Name string
	Now  func() time.Time

	mu   sync.Mutex
	read time.Time
	keys [][]byte
}

// TokenKeys is as access.Keys has it.
func (k *TokenKeys) TokenKeys(ctx context.Context) ([][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil && k.Now().Sub(k.read) < tokenKeyTTL {
		return k.keys, nil
	}
	store := &Versions{k.API}
	current, err := rotation.Change(ctx, store, k.Name, func(old rotation.Version) (string, error) {
		if old.ID != "" {
			return old.Text, nil
		}
		key := make([]byte, tokenKeySize)
		rand.Read(key)
		return base64.StdEncoding.EncodeToString(key), nil
	})
	if err != nil {
		return nil, fmt.Errorf("the key of the API's tokens: %w", err)
	}
	if len(current.Text) < tokenKeySize {
		return nil, fmt.Errorf("the key of the API's tokens, secret %q, has %d bytes, and must have %d", k.Name, len(current.Text), tokenKeySize)
	}
	keys := [][]byte{[]byte(current.Text)}
	switch previous, err := store.ReadVersion(ctx, k.Name, rotation.Previous); {
	case err == nil && len(previous.Text) >= tokenKeySize:
		keys = append(keys, []byte(previous.Text))
	case err != nil && !errors.Is(err, rotation.ErrNone):
		return nil, fmt.Errorf("the key of the API's tokens before this one: %w", err)
	}
	k.keys, k.read = keys, k.Now()
	return keys, nil
}
