package replay

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// letter is a message of a dead-letter queue that a request holds, and what
// becomes of it.
type letter struct {
	msg     events.SQSMessage
	item    Item
	carried message.Carried
	// origin is what it says its origin is, unless that can't be true.
	origin  string
	history []attempt.Record // of its origin, oldest first
	claim   claim.Claim
	newID   string
	err     error
	// unrecorded is its queue's.
	unrecorded bool
	// gone says that the message is not to be given back, whatever err is.
	gone bool
}

// stays reports whether the message is to be given back.
func (l *letter) stays() bool { return l.err != nil && !l.gone }

// ReadWebhook gives what a webhook's body says of it, WebhookID only where it
// has one of its own. One that is malformed has been tried all the same, and
// gives what could be read.
func ReadWebhook(body string) Item {
	w, _ := webhook.Decode([]byte(body))
	return Item{WebhookID: w.ID, EventType: w.EventType, URL: w.URL, Tenant: w.Tenant, Endpoint: w.EndpointID}
}

// ReadNotification is ReadWebhook for notifications.
func ReadNotification(body string) Item {
	n, _ := channel.Decode([]byte(body))
	return Item{WebhookID: n.ID, Channel: string(n.Channel), Tenant: n.Tenant}
}

// ReadEvent is ReadWebhook for events.
func ReadEvent(body string) Item {
	e, _ := event.Decode([]byte(body))
	return Item{WebhookID: e.ID, EventType: e.Type, Tenant: e.Tenant}
}

// open reads what a message itself says.
func (q *Queue) open(m events.SQSMessage) *letter {
	l := &letter{msg: m, item: q.Read(m.Body), unrecorded: q.Unrecorded}
	l.item.ItemID = m.MessageId
	l.carried = message.CarriedBy(func(name string) *string { return m.MessageAttributes[name].StringValue }, message.SentAt(m.Attributes))
	l.item.WebhookID = cmp.Or(l.item.WebhookID, l.carried.ID, m.MessageId)
	l.origin = cmp.Or(l.carried.Origin, m.MessageId)
	return l
}

// itemOf is a failure as an item.
func itemOf(r attempt.Record) Item {
	i := Item{ItemID: r.MessageID, WebhookID: r.WebhookID, EventType: r.EventType, URL: r.URL, Tenant: r.Tenant, Channel: r.Channel,
		Endpoint: r.Endpoint}
	if len(r.FailedChannels) > 0 {
		i.Channel = r.FailedChannels[0]
	}
	return i
}

// recall reads its attempts.
func (h *Handler) recall(ctx context.Context, l *letter) (err error) {
	switch {
	case l.unrecorded:
		l.recallSent()
		return nil
	case l.sentAnew():
		l.history, err = h.History.OfWebhook(ctx, l.item.WebhookID)
	default: // that is shorter, where many share the id
		l.history, err = h.History.OfMessage(ctx, l.item.WebhookID, l.msg.MessageId)
	}
	if err != nil {
		return api.Unavailable("the attempts can't be read", err)
	}
	l.checkOrigin()
	l.history = slices.DeleteFunc(l.history, func(r attempt.Record) bool {
		return r.OriginID() != l.origin && r.MessageID != l.msg.MessageId // which a handler from before origins has written
	})
	slices.SortStableFunc(l.history, earlier)
	if last := l.last(); last != nil {
		l.item.tell(l.history, last)
		return nil
	}
	l.item.Reason = "no attempt of this message is recorded: it died without a handler, or its records are gone"
	l.item.FirstAt = message.SentAt(l.msg.Attributes)
	return nil
}

// checkOrigin drops an origin that can't be the letter's: see unforged.
func (l *letter) checkOrigin() {
	self := attempt.Record{MessageID: l.msg.MessageId, Origin: l.origin, Tenant: l.item.Tenant, URL: l.item.URL, EventType: l.item.EventType,
		Endpoint: l.item.Endpoint, At: message.SentAt(l.msg.Attributes)}
	all := unforged(append(l.history, self))
	l.history, l.origin = all[:len(all)-1], all[len(all)-1].Origin
}

// sentAnew reports whether the message was replayed, or was in the waiting room.
func (l *letter) sentAnew() bool { return l.origin != l.msg.MessageId }

// number is that of the last attempt of the message, under whatever SQS ids.
func (l *letter) number() int {
	made, last := 0, l.carried.Attempts
	for _, r := range l.history {
		if tried(r) {
			made++
			last = max(last, r.Attempt)
		}
	}
	return max(last, made)
}

// tried reports whether a record is of an attempt that was made: one that is held
// is still to come, and what was dropped was not sent again.
func tried(r attempt.Record) bool { return r.Verdict != attempt.Held && !r.Dropped }

// last is the newest attempt of this very message, nil where there is none.
func (l *letter) last() *attempt.Record {
	for i := len(l.history) - 1; i >= 0; i-- {
		if l.history[i].MessageID == l.msg.MessageId {
			return &l.history[i]
		}
	}
	return nil
}

// tell fills in what the attempts of its origin up to its last one say.
func (i *Item) tell(history []attempt.Record, last *attempt.Record) {
	i.Reason, i.LastStatus, i.LastAt = last.Reason, last.Status, last.At
	if i.Endpoint != "" && i.URL == "" {
		i.URL, i.Tenant = last.URL, last.Tenant
	}
	for _, r := range history {
		if r.At.After(last.At) || !tried(r) {
			continue
		}
		i.Attempts++
		if i.FirstAt.IsZero() || r.At.Before(i.FirstAt) {
			i.FirstAt = r.At
		}
	}
}

// resource names an item in the ledger.
func (q *Queue) resource(i Item, r *ledger.Redactor) string {
	if i.Channel != "" {
		return ledger.DeadNotification(q.Name, i.Channel)
	}
	return r.DeadLetter(q.Name, i.URL)
}
