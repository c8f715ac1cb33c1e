// Package channel is the notification: the message as its producer writes it,
// its texts and addresses on each channel, the secrets that configure
// the channels, and one classification of what can come of a hand-over. The
// senders are in the folders below it, so that who only reads notifications
// links none. None of it knows a policy: whether and when to try again, or
// elsewhere, is for others to say.
package channel

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Name is a way to reach somebody.
type Name string

// The channels.
const (
	Email   Name = "email"
	Slack   Name = "slack"
	SMS     Name = "sms"
	Teams   Name = "teams"
	Discord Name = "discord"
	Webhook Name = "webhook"
)

// Names are all channels.
var Names = []Name{Email, Slack, SMS, Teams, Discord, Webhook}

func (n Name) known() bool { return slices.Contains(Names, n) }

// Addressed reports whether nobody can be reached on a channel without an address of
// theirs: what configures another may have its one recipient.
func (n Name) Addressed() bool { return n == Email || n == SMS }

// OneOf names all channels in words, the last after a word such as "or".
func OneOf(word string) string {
	var all strings.Builder
	for i, n := range Names {
		switch i {
		case 0:
		case len(Names) - 1:
			all.WriteString(" " + word + " ")
		default:
			all.WriteString(", ")
		}
		all.WriteString(string(n))
	}
	return all.String()
}

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
	// More are further recipients of the same message. Only email has any.
	More    []string
	Subject string // may be empty
	Body    string
	// ListUnsubscribe is an https or mailto URL, or empty. Only email has it.
	ListUnsubscribe string
	// Mail is what else only an email has. Its attachments have their content.
	Mail
	// Content is what only one of the others has.
	Content
	// Thread is what the provider calls the message that this one belongs under,
	// and Replaces the one that it takes the place of, as an Outcome's ProviderID
	// has it; empty for none.
	Thread, Replaces string
	// Last says that nothing follows on this channel if it fails for now: who of
	// several can't be reached is left out then, and holds up nobody.
	Last bool
}

// Mail is what of a notification only an email shows.
type Mail struct {
	HTML        string
	Attachments []Attachment
	// ReplyTo, CC and BCC are addresses, with or without a name.
	ReplyTo string
	CC, BCC []string
	Headers map[string]string // of those that checkHeaders takes
}

// Attachment is a file of an email.
type Attachment struct {
	Name string // without a folder
	// Type is its media type; empty where its name says it, or nothing does.
	Type string
	// Content is the file's. Where S3 has it, it is empty until it is read.
	Content []byte
	// S3 is "bucket/key".
	S3 string
	// ContentID is by what the HTML shows it (cid:…); empty for one that is listed.
	ContentID string
}

// Content is what of a notification only one channel shows, as JSON of its
// provider's own; empty for none.
type Content struct {
	Blocks jsontext.Value // Slack: an array
	Card   jsontext.Value // Teams: an adaptive card
	Embeds jsontext.Value // Discord: an array
}

// Handover is n as it is given to the sender of a channel. Its id is given apart,
// as n may have none.
func (n Notification) Handover(id string, on Name) Handover {
	h := Handover{
		ID: id, Tenant: n.Tenant, Recipient: n.Address(on), Subject: n.Subject, Body: n.Body, ListUnsubscribe: n.ListUnsubscribe,
		Mail: n.Mail, Content: n.Content,
	}
	if all := n.EveryoneOn(on); len(all) > 1 {
		h.More = all[1:]
	}
	return h
}
