package channel

import "time"

// Class says what a failed hand-over means for what may be done next.
//
//	class          what is known                        examples
//	permanent      the provider will never take this    SMTP 5xx to the recipient, Slack
//	               for this recipient                   channel_not_found, Twilio 21211
//	transient      it was not taken; it may be later    no connection, SMTP 4xx; Slack: 5xx
//	limit          it was not taken, and no fault of    429, Slack ratelimited, SMTP 421 "too many",
//	               its own: too many are sent           Twilio 20429, SES Throttling
//	configuration  nobody can be reached this way       credentials refused, sender not
//	               until an operator acts               verified, wrong certificate, no secret
//	unknown        it was handed over, and the answer   connection lost or time-out after the
//	               is lost: it may have been sent       request; SMS: any 5xx
//	opted_out      the recipient wants none             Twilio 21610
//
// Two rules decide what the providers' own tables leave open. What was refused
// before the provider knew the recipient (greeting, TLS, authentication, the
// sender) can't be the recipient's fault: configuration, or transient where
// the refusal says so. And what can't be shown not to have been taken is
// unknown: a false "transient" can send twice, a false "unknown" can't.
type Class string

// The classes. The class of what was sent is empty.
const (
	Permanent     Class = "permanent"
	Transient     Class = "transient"
	Limited       Class = "limit"
	Configuration Class = "configuration"
	Unknown       Class = "unknown"
	OptedOut      Class = "opted_out"
)

// Outcome is what came of one Send.
type Outcome struct {
	// Class is empty when the provider took the notification.
	Class Class
	// Reason says, for people, why it failed. It never holds a recipient, a
	// secret, or a part of the message, nor a provider's free text, which may
	// quote them.
	Reason string
	// ProviderID names the notification in the provider's logs: the Message-ID
	// (SMTP), the message id (AWS), channel/ts (Slack with a bot token) or the
	// sid (Twilio). A Slack webhook gives none.
	ProviderID string
	// RetryAfter is how long the provider asks to wait; 0 where it does not.
	RetryAfter time.Duration
	// Ours says that nothing was asked of the provider for lack of something of
	// our own, such as a file descriptor. The class is Transient then.
	Ours bool
	// Status is the HTTP status or the SMTP code of the answer; 0 without one.
	Status int
	// Response is what the provider said when it failed: the first KiB, without
	// secrets (Said). It may quote the recipient and the message: it is for the
	// record of the attempt, never for a log.
	Response string
}

// Sent reports whether the provider took the notification.
func (o Outcome) Sent() bool { return o.Class == "" }

// Taken is the outcome of what the provider took.
func Taken(id string, status int) Outcome { return Outcome{ProviderID: id, Status: status} }

// Saying is o with what the provider answered, where it failed.
func (o Outcome) Saying(answer string, secrets ...string) Outcome {
	if !o.Sent() {
		o.Response = Said(answer, secrets...)
	}
	return o
}

// Failed is the outcome of what it did not.
func Failed(class Class, status int, reason string) Outcome {
	return Outcome{Class: class, Status: status, Reason: reason}
}
