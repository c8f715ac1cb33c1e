// Package channel is the notification: the message as its producer writes it,
// its texts and addresses by email, Slack and SMS, the secrets that configure
// the channels, and one classification of what can come of a hand-over. The
// senders are in the folders below it, so that who only reads notifications
// links none. None of it knows a policy: whether and when to try again, or
// elsewhere, is for others to say.
package channel

import (
	"context"
	"time"
)

// Name is a way to reach somebody.
type Name string

// The channels.
const (
	Email Name = "email"
	Slack Name = "slack"
	SMS   Name = "sms"
)

func (n Name) known() bool { return n == Email || n == Slack || n == SMS }

// Sender hands one notification over, once at most. What went wrong is in the
// Outcome. It may be used by many goroutines at once.
type Sender interface {
	Send(ctx context.Context, h Handover) Outcome
}

// Secrets gives the secrets that configure channels, by name. It is used by
// many goroutines at once.
type Secrets interface {
	// Text returns a secret's value, read at or after since, except that a
	// secret is read at most once in half a minute: then what is cached is
	// given, however old. With a zero since, whatever is cached will do. Its
	// error wraps ErrNotConfigured where there is no secret; any other may
	// pass.
	Text(ctx context.Context, name string, since time.Time) (string, error)
}

// Handover is what a sender gives to its provider.
type Handover struct {
	// ID is the notification's: 1 to 128 of [A-Za-z0-9_-]. An email's
	// Message-ID comes of it, so that a second hand-over can be told.
	ID     string
	Tenant string
	// Recipient is the address on the sender's channel, as Decode takes it.
	Recipient string
	Subject   string // may be empty
	Body      string
	// ListUnsubscribe is an https or mailto URL, or empty. Only email has it.
	ListUnsubscribe string
}

// Handover is n as it is given to the sender of a channel. Address says what
// its recipient is there; the id is given apart, as n may have none.
func (n Notification) Handover(id, recipient string) Handover {
	return Handover{
		ID: id, Tenant: n.Tenant, Recipient: recipient,
		Subject: n.Subject, Body: n.Body, ListUnsubscribe: n.ListUnsubscribe,
	}
}
