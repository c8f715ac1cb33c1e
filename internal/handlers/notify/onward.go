package notify

import (
	"errors"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
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

// doneWith are the channels that are done with after an attempt: its own too, where
// the message has come back since.
func doneWith(r attempt.Record) []string {
	if r.Returned() && !slices.Contains(r.FailedChannels, r.Channel) {
		return append(slices.Clone(r.FailedChannels), r.Channel)
	}
	return r.FailedChannels
}
