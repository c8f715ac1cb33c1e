package notify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/plaintext"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/template/render"
	"github.com/efferent/efferent/internal/trace"
	"github.com/efferent/efferent/internal/waiting"
)

// handoverTime is what must be left of an invocation's sending for another
// hand-over to begin: one that is cut is a failure that nobody knows the
// outcome of.
const handoverTime = 12 * time.Second

// notice is one message in one invocation.
type notice struct {
	*batch.Item
	needs   *Needs
	message channel.Notification
	// turn is the message's on a channel, turnOn; that is empty where there is none yet.
	turn   pace.Turn
	turnOn channel.Name
	// refused says that a provider has refused it for its limit, in this invocation.
	refused bool
	// failures are the channels that are done with, in order.
	failures []string
	// announced says that the ledger knows of the hand-over to come.
	announced bool
	// since is when the secrets must have been read: after the last failure.
	since time.Time
	// why is what refuse says, and whyClass the class of it; empty where the message is
	// malformed. held is the claim on the SMS.
	why      string
	whyClass channel.Class
	held     claim.Claim
	// suppressed asks the suppression list, and listed is what it has said last.
	suppressed *suppressed
	listed     listed
	// people are those whom the messages of the batch name.
	people *people
	// files has a place for each message whose attachments are in memory.
	files chan struct{}
	// template is the version of a template that it is made of, as name@version; unmade
	// says that nothing can be made of it.
	template string
	unmade   bool
	// content is what it makes for the channel at hand; nil without one.
	content *render.Content
}

// Prepare decides what is to be done with the message.
func (n *notice) Prepare(ctx context.Context) {
	var malformed error
	n.message, malformed = channel.Decode([]byte(n.Msg.Body))
	n.Identify(n.message.ID, n.message.Tenant)
	n.lookUp()
	if !n.Resume(ctx) || !n.goesOn(ctx) {
		return
	}
	if tried := len(n.History); tried > 0 {
		n.failures, n.since = doneWith(n.History[tried-1]), n.LastEnded()
	}
	n.State, n.announced = batch.Ready, true
	if malformed == nil {
		_, malformed = n.Policy(n.message.Retry)
	}
	switch {
	case malformed != nil:
		n.State, n.why = batch.Refused, malformed.Error()
		return
	case n.message.Divided():
		n.Later(func() { n.divide() })
		return
	case !n.resolve(ctx):
		return
	case n.message.Body == "":
		n.message.Body = plaintext.Of(n.message.HTML)
	}
	n.lineUp(ctx)
}

// divide sends on a message to each of several recipients.
func (n *notice) divide() {
	texts, err := n.message.Divide([]byte(n.Msg.Body), n.ID)
	parts := make([]waiting.Outgoing, len(texts))
	for i, text := range texts {
		parts[i] = n.Part(text)
	}
	if err == nil {
		_, err = n.needs.Parts.Send(n.Writes(), notificationsQueue, parts)
	}
	if err != nil {
		n.Hold(n.Record(), "it can't be divided among its recipients: "+err.Error())
		return
	}
	n.Replaced()
	n.Log.InfoContext(n.Writes(), "divided among its recipients", n.Names(), "recipients", len(parts))
}

// notificationsQueue is where the messages come from.
const notificationsQueue = "notifications"

// current is the channel that is next; empty when every one has failed.
func (n *notice) current() channel.Name {
	for _, on := range n.message.Chain() {
		if !slices.Contains(n.failures, string(on)) {
			return on
		}
	}
	return ""
}

// tried counts the attempts on a channel that count.
func (n *notice) tried(on channel.Name) (tries int) {
	for _, r := range n.History {
		if r.Channel == string(on) && !r.Uncounted {
			tries++
		}
	}
	return tries
}

// Run hands the notification over, channel after channel, until it is sent or
// has to wait.
func (n *notice) Run(ctx context.Context) {
	if n.State == batch.Refused {
		n.refuse()
	}
	for n.State == batch.Ready {
		if n.late(ctx) {
			n.comeBack()
			return
		}
		n.try(ctx, n.current())
	}
}

// comeBack leaves what there is no time for to the next receive, which is at once
// where one may be used up for that.
func (n *notice) comeBack() {
	if n.Receives <= n.MaxReceives-2 {
		n.Hide(0)
		return
	}
	n.Hold(n.Record(), "the invocation had no time left for another hand-over")
}

// Record is that of the hand-over to come.
func (n *notice) Record() attempt.Record {
	r := n.record(n.current())
	r.FailedChannels = n.failures
	return *r
}

// late reports whether the invocation has no time for another hand-over.
func (n *notice) late(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && n.Now().After(deadline.Add(-handoverTime))
}

// try makes one attempt on a channel.
func (n *notice) try(ctx context.Context, on channel.Name) {
	r := n.record(on)
	sender, out, asked := n.handOver(ctx, on, r)
	switch {
	case !asked:
	case out.Class == channel.Limited && out.Reason != noTurn:
		n.limited(ctx, on, sender, r, out)
	case out.Class == channel.Configuration && n.renewed(ctx, on, sender):
		n.tryAnew(r, out)
	default:
		n.settle(r, out)
	}
}

// handOver asks the channel's provider, once. Asked is false when nothing was
// decided: the message comes back, or is settled already.
func (n *notice) handOver(ctx context.Context, on channel.Name, r *attempt.Record) (s channel.Sender, out channel.Outcome, asked bool) {
	var err error
	announced := n.announced
	n.announced = false
	out, err = n.render(ctx, on)
	if r.Template = n.template; err == nil && out.Class == "" {
		s, out, err = n.reach(ctx, on)
	}
	var h channel.Handover
	if err == nil && out.Class == "" {
		var done func()
		h, done, out, err = n.complete(ctx, on)
		defer done()
	}
	switch {
	case err != nil:
		n.hold(r, err.Error())
		return s, out, false
	case out.Class != "":
		n.FailedBy(string(out.Class))
		return s, out, true
	}
	if out, asked, now := n.hasTurn(ctx, on, s, r, announced); !now {
		return s, out, asked
	}
	if on == channel.SMS && !n.claim(r) {
		return s, out, false
	}
	if err := n.keepOnward(s, r); err != nil {
		n.unclaim(on)
		n.hold(r, "the message can't be kept for its next channel: "+err.Error())
		return s, out, false
	}
	r.At, n.turnOn = n.Now(), ""
	_, end := n.Exchange("send "+string(on), func() []trace.Attribute { return []trace.Attribute{trace.Text("efferent.channel", string(on))} })
	out = s.Send(ctx, h)
	end(string(out.Class), trace.Number("efferent.status", out.Status))
	took := n.Now().Sub(r.At)
	r.DurationMS = took.Milliseconds()
	n.Exchanged(took, string(out.Class))
	if out.Sent() && channel.ReportsOn(s) {
		r.State = attempt.Accepted
	}
	if out.Ours && !out.Sent() {
		n.unclaim(on)
		n.hold(r, out.Reason)
		return s, out, false
	}
	if ctx.Err() != nil && !out.Sent() && out.Class != channel.Unknown {
		n.unclaim(on)
		n.hold(r, "the invocation ended before the hand-over did")
		return s, out, false
	}
	return s, out, true
}

// renewed reports whether a channel's secret has been replaced since the sender
// was made that has just failed by its configuration. Each message asks once.
func (n *notice) renewed(ctx context.Context, on channel.Name, failed channel.Sender) bool {
	if slices.ContainsFunc(n.History, func(r attempt.Record) bool { return r.Uncounted && r.Channel == string(on) }) {
		return false
	}
	s, err := n.needs.Senders.Sender(ctx, on, n.Now())
	return err == nil && s != failed
}

func (n *notice) record(on channel.Name) *attempt.Record {
	r := n.Begin()
	r.Notification, r.At, r.Tenant = true, n.Now(), n.message.Tenant
	r.Channel, r.Recipient, r.Topic = string(on), n.addressed(on), n.message.Topic
	if len(n.message.To) == 1 {
		r.To = n.message.To[0]
	}
	return &r
}

// maxAddressed is how much of several addresses a record keeps, in bytes.
const maxAddressed = 1 << 10

// addressed is who the message is to on a channel, as a record has it.
func (n *notice) addressed(on channel.Name) string {
	all := n.message.EveryoneOn(on)
	if len(all) < 2 {
		return n.message.Address(on)
	}
	return message.Shorten(strings.Join(all, ", "), maxAddressed)
}
