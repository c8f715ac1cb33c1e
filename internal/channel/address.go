package channel

import (
	"net/mail"
	"regexp"

	"github.com/efferent/efferent/internal/message"
)

const maxEmailAddress = 254 // bytes: RFC 5321, section 4.5.3.1.3, without the brackets

var (
	// E.164: a plus, then 15 digits at most, the first of them not 0.
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// A conversation's or user's id, or a channel's name: Slack, "Conversations
	// API" and the channel argument of chat.postMessage.
	slackChannel = regexp.MustCompile(`^([CDGUW][A-Z0-9]{1,63}|#[^\s#@<>&[:cntrl:]]{1,80})$`)
	// What a secret calls one of several webhooks.
	hookName = regexp.MustCompile(`^[A-Za-z0-9_.#@-]{1,100}$`)
)

// maxKept is how much of an address Decode keeps, in bytes: more than any
// channel takes, and little enough for a record.
const maxKept = 1 << 10

// CheckRecipient says what is wrong with an address on a channel; "" when
// nothing is. It never quotes the address.
func CheckRecipient(on Name, address string) string {
	switch {
	case address == "":
		return "must not be empty"
	case message.HasControl(address):
		return "must have no line breaks or other control characters"
	case on == Email && !isEmail(address):
		return "must be one email address, without a name"
	case on == Slack && !slackChannel.MatchString(address):
		return "must be the id of a Slack channel or user, or a #name"
	case (on == Teams || on == Discord || on == Webhook) && !hookName.MatchString(address):
		return "must be the name of one of the webhooks in the channel's secret: 1 to 100 of A-Z, a-z, 0-9, _, ., #, @ and -"
	case on == SMS && !phoneNumber.MatchString(address):
		return "must be a phone number as in E.164: + and 7 to 15 digits"
	}
	return ""
}

// isEmail takes an address as it can stand in a RCPT command: not one with a
// name, a comment or a quoted local part.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && len(s) <= maxEmailAddress
}

// Bare is an address without its name.
func Bare(s string) string {
	if a, err := mail.ParseAddress(s); err == nil {
		return a.Address
	}
	return s
}
