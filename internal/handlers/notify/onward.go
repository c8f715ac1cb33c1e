package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/report/onward"
)

// onwardSlack is how much longer than its deadline a message is kept.
const onwardSlack = time.Hour

// keepOnward keeps the message before a hand-over after which it may have to go on to
// the next channel: where the provider reports what becomes of it, and there is a next
// one. What goes to several at once does not go on: only some of them may be missing.
func (n *notice) keepOnward(s channel.Sender, r *attempt.Record) error {
	if !channel.ReportsOn(s) || n.only(channel.Name(r.Channel)) || len(n.message.More) > 0 || n.Now().After(n.deadline()) {
		return nil
	}
	m := onward.Message{Item: n.Onward(*r), Deadline: n.deadline(), DespiteOptOut: n.message.FallbackOnOptOut}
	packed, err := m.Pack()
	if errors.Is(err, onward.ErrTooLarge) {
		n.Log.WarnContext(n.Writes(), "if the message comes back it goes to no other channel", n.Names(), "reason", err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	return n.needs.Onward.KeepOnward(n.Writes(), n.ID, r.SortKey(), packed, n.deadline().Add(onwardSlack))
}

// onwardClaims is the claims' queue of messages that go on after a report: nobody's name.
const onwardClaims = "notifications/onward"

// goesOn reports whether the message is to go on, unless it is held. What came back goes
// on in one message: the first that claims it. There are several after two reports of
// one attempt, or where a report's reader died before it could note that it had sent
// one. The claim is the message's, not an invocation's: it holds at each receive and
// through the waiting room, so that nothing is lost with who took it.
func (n *notice) goesOn(ctx context.Context) bool {
	if len(n.History) == 0 || n.History[len(n.History)-1].Verdict != attempt.Delivered {
		return true
	}
	last := n.History[len(n.History)-1]
	if !last.Returned() { // it was called spam since: that is the end, on all channels
		n.givesWay("it is " + string(last.State))
		return false
	}
	n.Carried.Claim = cmp.Or(n.Carried.Claim, n.Msg.MessageId)
	other, err := n.needs.Claims.TakeClaim(ctx, claim.Claim{
		Queue: onwardClaims, ItemID: hashOf(n.message.Tenant, n.ID, n.Origin, strconv.Itoa(last.Attempt)), Act: sending,
		Actor: n.Msg.MessageId, Token: n.Carried.Claim, At: n.Now(), Until: n.Now().Add(claim.Retention),
	})
	switch {
	case errors.Is(err, claim.ErrTaken):
		n.givesWay("it goes on as message " + other.Actor)
		return false
	case err != nil:
		n.Trouble("that it goes on can't be claimed: " + err.Error())
		return false
	}
	return true
}

// givesWay ends a message that is one too many: nothing is recorded, and nobody told.
func (n *notice) givesWay(why string) {
	n.Replaced()
	n.Log.InfoContext(n.Writes(), "one of several messages to the next channel is not sent", n.Names(), "reason", why)
}

// doneWith are the channels that are done with after an attempt: its own too, where
// the message has come back since.
func doneWith(r attempt.Record) []string {
	if r.Returned() && !slices.Contains(r.FailedChannels, r.Channel) {
		return append(slices.Clone(r.FailedChannels), r.Channel)
	}
	return r.FailedChannels
}
