// Package signingkey reads and changes what a secret holds that signs webhooks.
//
// A secret's value is a key, as text; or a JSON object of keys by name, for one
// secret may serve many endpoints. A key of such an object is a text, or an
// object that holds the key's own history:
//
//	{"ep1": "whsec_…",
//	 "ep2": {"current": "whsec_…", "previous": "whsec_…", "until": "2026-11-27T08:00:00Z"}}
//
// What a key has to look like so that it can sign is webhook.ParseSecret's to
// say. The errors of this package never quote a value.
package signingkey

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// How long the key before the present one signs beside it: DefaultGrace, and 0
// to MaxGrace.
const (
	DefaultGrace = 24 * time.Hour
	MaxGrace     = 7 * 24 * time.Hour
)

var (
	// ErrNotObject says that a secret's value is no JSON object that has each
	// name once, so that no key can be told from another in it.
	ErrNotObject = errors.New("it is not a JSON object that has each key once")
	// ErrNoKey says that there is no key under a name.
	ErrNoKey = errors.New("there is no key")
)

// CheckGrace refuses a grace that is not 0 to MaxGrace.
func CheckGrace(grace time.Duration) error {
	if grace < 0 || grace > MaxGrace {
		return fmt.Errorf("a grace of %s: it must be 0 to %d hours (7 days)", grace, int(MaxGrace.Hours()))
	}
	return nil
}

// Key is a key of a JSON secret.
type Key struct {
	Current string
	// Previous is the key before it, "" where there is none. It signs before
	// Until, an instant, and no more from then on.
	Previous string
	Until    time.Time
	// Historic says that the key is kept with its own history, even where that
	// holds no Previous. A key that is a plain text has a history in the secret's
	// versions only.
	Historic bool
}

// At gives the keys that sign at an instant, the current one first.
func (k Key) At(now time.Time) []string {
	if k.Previous == "" || k.Previous == k.Current || !now.Before(k.Until) {
		return []string{k.Current}
	}
	return []string{k.Current, k.Previous}
}

// history is a Key as it stands in a secret.
type history struct {
	Current  string `json:"current"`
	Previous string `json:"previous,omitempty"`
	Until    string `json:"until,omitempty"` // RFC 3339
}

// readKey reads what stands under a name.
func readKey(value jsontext.Value) (Key, error) {
	switch value.Kind() {
	case '"':
		var text string
		if json.Unmarshal(value, &text) != nil || text == "" {
			return Key{}, fmt.Errorf("%w: the text is empty", ErrNoKey)
		}
		return Key{Current: text}, nil
	case '{':
		return readHistory(value)
	}
	return Key{}, fmt.Errorf("%w: it is neither a text nor an object", ErrNoKey)
}

// readHistory is strict: a misspelt field would end a grace unseen.
func readHistory(value jsontext.Value) (Key, error) {
	var h history
	if json.Unmarshal(value, &h, json.RejectUnknownMembers(true)) != nil {
		return Key{}, errors.New(`the object is not {"current": …, "previous": …, "until": …}, three texts of which the first is enough`)
	}
	k := Key{Current: h.Current, Previous: h.Previous, Historic: true}
	switch {
	case h.Current == "":
		return Key{}, fmt.Errorf(`%w: the object has no "current"`, ErrNoKey)
	case (h.Previous == "") != (h.Until == ""):
		return Key{}, errors.New(`"previous" and "until" belong together: the object has one of them`)
	case h.Until == "":
		return k, nil
	}
	var err error
	if k.Until, err = time.Parse(time.RFC3339, h.Until); err != nil {
		return Key{}, errors.New(`"until" is not a time as RFC 3339 has it, like 2026-11-27T08:00:00Z`)
	}
	return k, nil
}
