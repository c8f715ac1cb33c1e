// Package channel hands one notification over to one provider, by email, Slack
// or SMS: the message as its producer writes it, the texts, the senders, and
// one classification of what can come of it. It knows no policy: whether and
// when to try again, or elsewhere, is for others to say.
package channel

// Name is a way to reach somebody.
type Name string

// The channels.
const (
	Email Name = "email"
	Slack Name = "slack"
	SMS   Name = "sms"
)

func (n Name) known() bool { return n == Email || n == Slack || n == SMS }

// Handover is what a sender gives to its provider. Every sender has a method
// Send(context.Context, Handover) Outcome, which hands it over once at most,
// and may be called by many goroutines at the same time.
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
