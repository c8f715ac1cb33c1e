// Package claim is the right to act on something that several may act on at the
// same time: a message in a dead-letter queue, or an SMS that must not be sent
// twice. It is pure data and a
// promise; stores keep it by conditional writes.
package claim

import (
	"errors"
	"time"
)

// Claim says that somebody acts, or has acted, on one item.
type Claim struct {
	// Queue is where the item is: a dead-letter queue's name without prefix, or
	// what else the ids are unique in. ItemID is its id there.
	Queue  string `json:"queue"`
	ItemID string `json:"item_id"`
	// Act is what is done to it.
	Act string `json:"act"`
	// Actor is who acts.
	Actor string `json:"actor"`
	// Token tells one claim from another.
	Token string `json:"token"`
	// At is when the claim was taken, Until when it lapses if it is not
	// settled by then: its holder has died.
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	// Settled says that the act cannot be undone any more: a replayed message
	// was sent, a discarded one is about to be deleted. What is left of the
	// item is to be deleted.
	Settled bool `json:"settled"`
}

// Blocks reports whether other can't be taken while c stands: see Store.
func (c Claim) Blocks(other Claim) bool {
	return c.Settled || c.Token != other.Token && c.Until.After(other.At)
}

// ErrTaken says that another holds a claim, or has settled it.
var ErrTaken = errors.New("claimed already")

// Retention is how long a claim is kept: longer than any queue keeps the
// message.
const Retention = 30 * 24 * time.Hour
