// Package endpoint is the endpoint of a tenant as it is registered once: where its
// events go, which ones, signed by what, and how fast. It has no clock and no store
// of its own.
package endpoint

import (
	"crypto/rand"
	"math/big"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// State is whether an endpoint gets what it subscribes to.
type State string

// The states. What is for an endpoint that is paused or disabled waits until it is
// enabled again: nothing of it is lost. Who pauses says for how long, by resuming;
// one is disabled because it fails, because it said so (410), or by an operator.
const (
	Enabled  State = "enabled"
	Paused   State = "paused"
	Disabled State = "disabled"
)

// Endpoint is one of a tenant's endpoints.
type Endpoint struct {
	// ID is unique over all tenants, and says nothing.
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	URL    string `json:"url"`
	// EventTypes are the patterns of the types that it gets, one at least.
	EventTypes []string `json:"event_types"`
	// Filter is what the body of an event must be like; none where it is empty.
	Filter jsontext.Value `json:"filter,omitzero"`
	// Secret names what signs, as a webhook's message does: never the secret itself.
	Secret string `json:"secret"`
	// Retry is its policy, the default one where it is empty. Timeout is that of one
	// exchange, as a message has it ("15s"), the default one where it is empty.
	Retry   string `json:"retry,omitzero"`
	Timeout string `json:"timeout,omitzero"`
	// RatePerSecond is how many messages it gets a second at most; 0 is without a
	// bound. One of less than 1 is one in more than a second.
	RatePerSecond float64 `json:"rate_per_second,omitzero"`
	// Headers are sent as they are. Auth are headers whose values are secrets, by
	// their names: references as Secret is one.
	Headers map[string]string `json:"headers,omitzero"`
	Auth    map[string]string `json:"auth,omitzero"`
	// Signature is what signs besides, or instead of, Efferent's own headers; nil is
	// those alone.
	Signature *webhook.Signature `json:"signature,omitzero"`

	Description string            `json:"description,omitzero"`
	Labels      map[string]string `json:"labels,omitzero"`

	State State `json:"state"`
	// Why says in words why it is not enabled, and Since is when that began.
	Why   string    `json:"state_reason,omitzero"`
	Since time.Time `json:"state_since,omitzero"`

	// Verified is when its receiver last said that it wants events at this URL; zero where
	// it has not. VerifiedOrigin is the name by which it was asked in a handshake, and
	// which each request has to say since.
	Verified       time.Time `json:"verified,omitzero"`
	VerifiedOrigin string    `json:"verified_origin,omitzero"`

	// Rotated is when its key was last replaced through the API: whoever signs has to have
	// read it since.
	Rotated time.Time `json:"key_rotated,omitzero"`

	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Version counts the changes, from 1.
	Version int64 `json:"version"`
}

// StateSince is since when its state is what it is, or later: one that was made or
// enabled by who did not say so is taken to have been when it was last changed.
func (e *Endpoint) StateSince() time.Time {
	if e.Since.IsZero() {
		return e.Updated
	}
	return e.Since
}

// Circuit names the circuit breaker of the endpoint with an id, which takes the place
// of the URL: that may change. Of a tenant it needs none.
func Circuit(id string) circuit.Name { return circuit.Name{Scope: circuit.Endpoint, URL: id} }

const (
	idPrefix = "ep_"
	idLength = 22 // of 62 letters: 131 bits
	letters  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewID makes an id that nobody can guess.
func NewID() string {
	id := []byte(idPrefix)
	for range idLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic(err) // it never fails (crypto/rand)
		}
		id = append(id, letters[n.Int64()])
	}
	return string(id)
}

// IsID reports whether a text can be an endpoint's id: "ep_" and 1 to 61 letters
// and digits.
func IsID(s string) bool { return message.CheckEndpoint(s) == "" }
