// Package suppression is the list of addresses that a tenant's notifications are not
// sent to: what an entry is, when two addresses are the same, what takes the place of
// what, and what a store of them promises.
package suppression

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
)

// Reason is why an address is on the list.
type Reason string

// The reasons. An address has one entry: of two reasons the later in this list stands,
// since it is the harder to take back.
const (
	Bounce    Reason = "bounce"    // mail to it bounces for good
	Complaint Reason = "complaint" // its owner has called a message spam
	Stop      Reason = "stop"      // its owner has answered STOP
	ByHand    Reason = "by_hand"   // an operator has said so
)

// Reasons are all of them, from the weakest to the strongest.
var Reasons = []Reason{Bounce, Complaint, Stop, ByHand}

// Rank orders the reasons; 0 is that of none.
func (r Reason) Rank() int { return slices.Index(Reasons, r) + 1 }

// Words is a reason as a sentence has it: "for a bounce".
func (r Reason) Words() string {
	switch r {
	case Bounce:
		return "for a bounce"
	case Complaint:
		return "for a complaint"
	case Stop:
		return "for a STOP"
	}
	return "by hand"
}

// Entry is an address that is suppressed.
type Entry struct {
	// Tenant is whose list it is on; empty for messages that name none.
	Tenant string `json:"tenant,omitzero"`
	// ID names the entry within its tenant's list, and tells nothing of the address.
	ID      string       `json:"id"`
	Channel channel.Name `json:"channel"`
	// Address is as Normalize leaves it.
	Address string `json:"address"`
	Reason  Reason `json:"reason"`
	// Since is when it happened: the report's time, not when it came in.
	Since time.Time `json:"since"`
	// Source is what the provider calls the report, or the message that it is about.
	Source string `json:"source,omitzero"`
	Note   string `json:"note,omitzero"`
}

// Most bytes of what an entry has besides.
const (
	MaxSource = 256
	MaxNote   = 512
)

// New is an entry for an address as anybody may write it. Its error is a
// *message.FieldError, and never has the address in it.
func New(tenant string, on channel.Name, address string, why Reason, since time.Time) (Entry, error) {
	address = Normalize(on, address)
	switch {
	case !slices.Contains(channel.Names, on):
		return Entry{}, &message.FieldError{Field: "channel", Problem: "there is no such channel; there are " + names()}
	case channel.CheckRecipient(on, address) != "":
		return Entry{}, &message.FieldError{Field: "address", Problem: channel.CheckRecipient(on, address)}
	case why.Rank() == 0:
		return Entry{}, &message.FieldError{Field: "reason", Problem: "must be bounce, complaint, stop or by_hand"}
	}
	return Entry{Tenant: tenant, ID: IDOf(on, address), Channel: on, Address: address, Reason: why,
		Since: since.UTC().Truncate(time.Millisecond)}, nil
}

func names() string {
	all := make([]string, len(channel.Names))
	for i, n := range channel.Names {
		all[i] = string(n)
	}
	return strings.Join(all, ", ")
}

// Key is where an address stands, on a tenant's list.
type Key struct{ Tenant, ID string }

// Key is the entry's.
func (e Entry) Key() Key { return Key{e.Tenant, e.ID} }

// KeyOf is the key of an address as anybody may write it.
func KeyOf(tenant string, on channel.Name, address string) Key {
	return Key{tenant, IDOf(on, Normalize(on, address))}
}

// IDOf is the id of a normalised address: the channel, and 128 bits of SHA-256, so
// that no address stands in a path, which is logged.
func IDOf(on channel.Name, normalised string) string {
	sum := sha256.Sum256([]byte(normalised))
	return string(on) + "-" + hex.EncodeToString(sum[:16])
}

var ids = regexp.MustCompile(`^[a-z]{1,20}-[0-9a-f]{32}$`)

// IsID reports whether a text may be the id of an entry.
func IsID(text string) bool {
	on, _, _ := strings.Cut(text, "-")
	return ids.MatchString(text) && slices.Contains(channel.Names, channel.Name(on))
}
