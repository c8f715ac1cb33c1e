package awssecrets

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/rotation"
)

// MonthKeys makes the keys that Redactors reads. Any number of them may make
// keys of one secret at once: none replaces what another one made.
type MonthKeys struct {
	API VersionsAPI
	// Name is the secret's name or ARN. One that is not there is made, by a name.
	Name string
}

// Make sees to it that there is a key for each month. Those that are there stay
// as they are, whatever they are, and so does all else in the secret.
func (k *MonthKeys) Make(ctx context.Context, months ...string) error {
	_, err := rotation.Change(ctx, &Versions{k.API}, k.Name, func(old rotation.Version) (string, error) {
		return withKeys(old.Text, months)
	})
	if err != nil {
		return fmt.Errorf("the keys of the ledger's hashes, secret %q: %w", k.Name, err)
	}
	return nil
}

// withKeys is a secret's text with a key for each month, the same where it has
// them all.
func withKeys(text string, months []string) (string, error) {
	all := map[string]jsontext.Value{}
	if text != "" && (json.Unmarshal([]byte(text), &all) != nil || all == nil) {
		return "", errors.New("it is not a JSON object; put {} there")
	}
	missing := false
	for _, month := range months {
		if _, ok := all[month]; ok {
			continue
		}
		key := make([]byte, ledger.RedactionKeySize)
		rand.Read(key)
		all[month], missing = jsontext.Value(`"`+base64.StdEncoding.EncodeToString(key)+`"`), true
	}
	if !missing {
		return text, nil
	}
	b, err := json.Marshal(all, json.Deterministic(true))
	return string(b), err
}
