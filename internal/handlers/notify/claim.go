package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/message"
)

// The acts of a claim on an SMS. Who finds it must know how far its holder came.
const (
	sending = "send"   // about to be handed over, or the holder has died
	parked  = "parked" // handed over, outcome unknown; At is when that was recorded
	wasSent = "sent"
)

// holderTime is how long the holder of a claim may be at work: longer than any
// invocation runs. After that it has died.
const holderTime = 2 * time.Minute

// smsClaims is the claims' queue: nobody's name.
const smsClaims = "notifications/sms"

// claim takes the right to send the SMS, and reports whether it has it.
// Otherwise the message is settled, or waits for who has it. Only who was sent an
// SMS is recorded as reached.
func (n *notice) claim(r *attempt.Record) bool {
	now := n.Now()
	c := claim.Claim{
		Queue: smsClaims, ItemID: hashOf(n.message.Tenant, n.ID, whose(r)), Act: sending, Actor: n.Msg.MessageId, Token: uuid.NewString(),
		At: now, Until: now.Add(claim.Retention),
	}
	other, err := n.needs.Claims.TakeClaim(n.Writes(), c)
	if errors.Is(err, claim.ErrTaken) && n.consent(other) {
		// Of several who drop it, one takes it.
		if err = n.needs.Claims.DropClaim(n.Writes(), other); err == nil {
			other, err = n.needs.Claims.TakeClaim(n.Writes(), c)
		}
	}
	switch {
	case err == nil:
		n.held = c
		return true
	case !errors.Is(err, claim.ErrTaken):
		_ = n.needs.Claims.DropClaim(n.Writes(), c) // it may have been kept
		n.hold(r, "the SMS can't be claimed: "+err.Error())
	case other.Act == wasSent:
		r.Reason = "sent before, as message " + other.Actor
		n.sent(r)
	case other.Act == sending && now.Sub(other.At) < holderTime:
		n.await(r, holderTime-now.Sub(other.At))
	default:
		r.Class = string(channel.Unknown)
		r.Reason = "it was handed over before, as message " + other.Actor + ", and nobody knows whether it arrived"
		n.held = other
		n.FailedBy(r.Class)
		n.end(r, attempt.Exhausted, "an SMS whose outcome is unknown is not sent again, nor anywhere else")
	}
	return false
}

// whose SMS it is: the person's, if the message names one, so that who changes their
// number meanwhile gets no second one.
func whose(r *attempt.Record) string {
	if r.To != "" {
		return "to " + r.To
	}
	return r.Recipient
}

// hashOf names what is claimed, an SMS by its tenant, id and recipient: one event's id goes
// to several people, and tenants choose ids for themselves. It is a hash, so that nobody
// is reached by reading keys; with the lengths no two names are the same text.
func hashOf(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// await comes back to an SMS that another invocation is sending: soon, to find
// that it was sent, and when that one must have died at the latest.
func (n *notice) await(r *attempt.Record, left time.Duration) {
	r.Class = string(channel.Transient)
	n.Tell(n.Outcome(*r))
	n.Log.InfoContext(n.Writes(), "another invocation sends this SMS", n.Names())
	n.Hide(min(left.Truncate(time.Second), time.Second<<min(2*(n.Receives-1), 8)) + time.Second)
}

// consent reports whether an SMS whose outcome is unknown may be sent again:
// somebody has replayed the message since. An automatic redelivery never is
// consent, nor is a second message with the same id that was there before, nor
// one that comes out of the waiting room: when somebody sent it is not known then.
func (n *notice) consent(other claim.Claim) bool {
	switch {
	case other.Act == wasSent:
		return false
	case other.Actor == n.Msg.MessageId: // redriven under its old id
		return n.Base > n.Carried.Base && other.Act == parked
	case !n.Carried.Anew():
		return false
	case other.Act == parked:
		return message.SentAt(n.Msg.Attributes).After(other.At)
	}
	return n.Carried.Retry != "" && n.Now().Sub(other.At) >= holderTime
}

// unclaim gives back the right to send: nothing was.
func (n *notice) unclaim(on channel.Name) {
	if on != channel.SMS || n.held.Token == "" {
		return
	}
	if err := n.needs.Claims.DropClaim(n.Writes(), n.held); err != nil {
		n.Log.WarnContext(n.Writes(), "the claim on an SMS that was not sent was not dropped; it will be parked", n.Names(), "error", err)
	}
	n.held = claim.Claim{}
}

// settleClaim says that the SMS was sent, once and for all.
func (n *notice) settleClaim(r *attempt.Record) {
	if r.Channel != string(channel.SMS) || n.held.Token == "" {
		return
	}
	n.held.Act, n.held.Settled = wasSent, true
	if err := n.needs.Claims.PutClaim(n.Writes(), n.held); err != nil {
		n.Log.WarnContext(n.Writes(), "the claim on a sent SMS was not settled", n.Names(), "error", err)
	}
}

// parkClaim says that nobody knows, and since when that is so.
func (n *notice) parkClaim(r *attempt.Record) {
	if r.Channel != string(channel.SMS) || n.held.Token == "" {
		return
	}
	n.held.Act, n.held.At = parked, n.Now()
	if err := n.needs.Claims.PutClaim(n.Writes(), n.held); err != nil {
		n.Log.WarnContext(n.Writes(), "the claim on a parked SMS was not changed; it will want a replay by Efferent's own API", n.Names(),
			"error", err)
	}
}
