// Package recipient is somebody of a tenant who gets notifications: where they can be
// reached, on which channels first, and what they want of each topic. It has no clock
// and no store of its own.
package recipient

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
)

// Key says who a recipient is: ids are a tenant's own.
type Key struct {
	Tenant string // empty for who has none
	ID     string
}

// Recipient is somebody, as they are kept.
type Recipient struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	// Addresses are where they are reached, by channel.
	Addresses map[channel.Name]Addresses `json:"addresses,omitzero"`
	// Channels are those to be used, in order: none others are. Where there are none
	// said, they are all that have an address, in the order of channel.Names.
	Channels []channel.Name `json:"channels,omitzero"`
	// Topics are what they want of topics, by patterns as of event types. Of several
	// that have a topic the closest one holds, alone.
	Topics map[string]Topic `json:"topics,omitzero"`

	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Version counts the changes, from FirstVersion.
	Version int64 `json:"version"`
}

// FirstVersion is that of a recipient who is made. It is chosen at random: nothing is
// kept of who was removed, so that who is made under their id must have other versions by
// themselves, or what was asked of the one would be done to the other. It is small enough
// for a number of JSON (RFC 8259, section 6) however often it is counted up.
func FirstVersion() int64 { return 1 + rand.Int64N(1<<40) }

// Topic is what a recipient wants of a topic.
type Topic struct {
	// OptedOut: nothing.
	OptedOut bool `json:"opted_out"`
	// Channels take the place of the recipient's.
	Channels []channel.Name `json:"channels,omitzero"`
}

// Key is that of r.
func (r *Recipient) Key() Key { return Key{r.Tenant, r.ID} }

// Addresses are one address, or several of the same message; in JSON a string, or an
// array.
type Addresses []string

// MarshalJSONTo writes one address as a string.
func (a Addresses) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(a) == 1 {
		return json.MarshalEncode(e, a[0])
	}
	return json.MarshalEncode(e, []string(a))
}

// UnmarshalJSONFrom reads either.
func (a *Addresses) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != jsontext.KindString {
		return json.UnmarshalDecode(d, (*[]string)(a))
	}
	*a = Addresses{""}
	return json.UnmarshalDecode(d, &(*a)[0])
}

// Is reports whether r says the same as other, whenever either was written.
func (r *Recipient) Is(other *Recipient) bool {
	a, b := *r, *other
	a.Created, a.Updated, a.Version = b.Created, b.Updated, b.Version
	one, err := json.Marshal(a, json.Deterministic(true))
	if err != nil {
		return false
	}
	two, err := json.Marshal(b, json.Deterministic(true))
	return err == nil && slices.Equal(one, two)
}
