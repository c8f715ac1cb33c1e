package produce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/plaintext"
	"github.com/efferent/efferent/internal/settings"
)

// NotifyCommand is efferent notify.
type NotifyCommand struct {
	reach.QueueFlags
	Channel    string            `placeholder:"CHANNEL" help:"${notify_channels}"`
	Recipient  []string          `xor:"who" required:"" sep:"none" placeholder:"ADDRESS" help:"${notify_recipient}"`
	To         []string          `xor:"who" required:"" sep:"none" placeholder:"ID" help:"${notify_to}"`
	Topic      string            `placeholder:"TOPIC" help:"What it is about: recipients choose their channels, and opt out, by it."`
	Each       bool              `help:"Send a message of its own to each recipient."`
	Subject    string            `placeholder:"TEXT" help:"The subject."`
	Body       string            `xor:"body" placeholder:"TEXT" help:"The text; may be left out beside HTML."`
	BodyFile   string            `xor:"body" placeholder:"FILE" help:"Read the text from a file; - is standard input."`
	Template   string            `xor:"body" placeholder:"NAME" help:"The template that makes it; NAME@VERSION for a version."`
	Data       string            `placeholder:"FILE" help:"What the template is given: a file with a JSON object, -, or the object itself."`
	Recipients map[string]string `mapsep:"," placeholder:"CHANNEL=ADDRESS" help:"The address to use on another channel; may be repeated."`
	Fallback   []string          `placeholder:"CHANNEL" help:"${notify_fallback}"`
	ID         string            `placeholder:"ID" help:"The notification's id; otherwise the SQS message id. No id is sent twice by SMS."`
	Tenant     string            `placeholder:"NAME" help:"Whose message it is; busy tenants do not hold up others."`
	Thread     string            `placeholder:"ID" help:"The earlier notification that this one goes under (email, Slack)."`
	Update     string            `placeholder:"ID" help:"The earlier notification that this one takes the place of (Slack, Discord)."`

	Retry    string `placeholder:"POLICY" help:"The policy of the retries: seed, patient, …"`
	Deadline string `placeholder:"TIME" help:"After how long the next channel takes it: 90s, 15m (the default), 2h."`

	FallbackOnOptOut bool   `help:"Use the other channels even when the recipient has opted out of one."`
	ListUnsubscribe  string `placeholder:"URL" help:"Where to unsubscribe from such emails: an https or mailto URL."`

	HTMLFile string            `name:"html-file" placeholder:"FILE" help:"Read the email's HTML from a file."`
	CC       []string          `name:"cc" sep:"none" placeholder:"ADDRESS" help:"Another recipient of the email; may be repeated."`
	BCC      []string          `name:"bcc" sep:"none" placeholder:"ADDRESS" help:"The same, unseen by the others."`
	ReplyTo  string            `placeholder:"ADDRESS" help:"Where answers to the email go."`
	Header   map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header of the email's own; may be repeated."`
	Attach   []string          `sep:"none" placeholder:"FILE" help:"Attach a file, or s3://BUCKET/KEY, to the email; may be repeated."`
	Blocks   string            `placeholder:"FILE" help:"Read Slack's blocks, as JSON, from a file."`
	Card     string            `placeholder:"FILE" help:"Read Teams' adaptive card from a file."`
	Embeds   string            `placeholder:"FILE" help:"Read Discord's embeds from a file."`
}

// notification is a message as a producer writes it.
type notification struct {
	ID               string            `json:"id,omitzero"`
	Channel          string            `json:"channel,omitzero"`
	Recipient        any               `json:"recipient,omitzero"`
	To               any               `json:"to,omitzero"`
	Topic            string            `json:"topic,omitzero"`
	Each             bool              `json:"each,omitzero"`
	Subject          string            `json:"subject,omitzero"`
	Body             string            `json:"body,omitzero"`
	Recipients       map[string]string `json:"recipients,omitzero"`
	Fallback         *[]string         `json:"fallback,omitzero"`
	FallbackOnOptOut bool              `json:"fallback_on_opt_out,omitzero"`
	ListUnsubscribe  string            `json:"list_unsubscribe,omitzero"`
	Tenant           string            `json:"tenant,omitzero"`
	Retry            string            `json:"retry,omitzero"`
	Deadline         string            `json:"deadline,omitzero"`
	Thread           string            `json:"thread,omitzero"`
	Update           string            `json:"update,omitzero"`
	Template         string            `json:"template,omitzero"`
	Data             jsontext.Value    `json:"data,omitzero"`

	HTML        string            `json:"html,omitzero"`
	CC          []string          `json:"cc,omitzero"`
	BCC         []string          `json:"bcc,omitzero"`
	ReplyTo     string            `json:"reply_to,omitzero"`
	Headers     map[string]string `json:"headers,omitzero"`
	Attachments []attached        `json:"attachments,omitzero"`
	Blocks      jsontext.Value    `json:"blocks,omitzero"`
	Card        jsontext.Value    `json:"card,omitzero"`
	Embeds      jsontext.Value    `json:"embeds,omitzero"`
}

// attached is a file of an email.
type attached struct {
	Name    string `json:"name,omitzero"`
	Content []byte `json:"content,omitzero"`
	S3      string `json:"s3,omitzero"`
}

// notified is what notify prints.
type notified struct {
	MessageID      string `json:"message_id"`
	NotificationID string `json:"notification_id"`
}

func (c *NotifyCommand) Run(ctx context.Context) error {
	text, err := c.Message()
	if err != nil {
		return err
	}
	messageID, err := c.Put(ctx, settings.NotificationsQueue, text, c.Tenant)
	if err != nil {
		return err
	}
	return console.PrintJSON(notified{messageID, cmp.Or(c.ID, messageID)})
}

// Message builds the message and refuses here what the handler would refuse.
func (c *NotifyCommand) Message() (string, error) {
	n := notification{
		ID: c.ID, Channel: c.Channel, Recipient: oneOrMore(c.Recipient), To: oneOrMore(c.To), Topic: c.Topic, Each: c.Each,
		Subject: c.Subject, Body: c.Body, Recipients: c.Recipients,
		FallbackOnOptOut: c.FallbackOnOptOut, ListUnsubscribe: c.ListUnsubscribe, Tenant: c.Tenant, Thread: c.Thread, Update: c.Update,
		CC: c.CC, BCC: c.BCC, ReplyTo: c.ReplyTo, Headers: c.Header,
		Retry: c.Retry, Deadline: c.Deadline, Template: c.Template,
	}
	if c.Channel == "" && len(c.Recipient) > 0 {
		return "", console.Misusedf("--recipient needs --channel, which says what kind of an address it is")
	}
	if c.Body == "" && c.BodyFile == "" && c.HTMLFile == "" && c.Template == "" {
		return "", console.Misusedf("--body, --body-file, --html-file or --template must say what the message is, " +
			"and field \"body\" must not be empty")
	}
	switch {
	case slices.Equal(c.Fallback, []string{"none"}):
		n.Fallback = &[]string{}
	case len(c.Fallback) > 0:
		n.Fallback = &c.Fallback
	}
	if err := c.readFiles(&n); err != nil {
		return "", err
	}
	data, err := console.ReadData(c.Data)
	if err != nil {
		return "", err
	}
	n.Data = data
	text, err := json.Marshal(n, json.Deterministic(true), json.FormatNilSliceAsNull(false))
	if err != nil {
		return "", errors.New("the message is not valid UTF-8, or a file is not JSON")
	}
	decoded, err := channel.Decode(text)
	if err != nil {
		return "", err
	}
	if decoded.Body == "" {
		decoded.Body = plaintext.Of(decoded.HTML)
	}
	return string(text), checkAddresses(decoded)
}

// oneOrMore is a string, or an array of several; nothing where there is none.
func oneOrMore(all []string) any {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// readFiles fills in what the flags name by files.
func (c *NotifyCommand) readFiles(n *notification) error {
	for _, f := range []struct {
		name string
		put  func([]byte)
	}{
		{c.BodyFile, func(b []byte) { n.Body = strings.TrimSuffix(string(b), "\n") }},
		{c.HTMLFile, func(b []byte) { n.HTML = string(b) }},
		{c.Blocks, func(b []byte) { n.Blocks = b }}, {c.Card, func(b []byte) { n.Card = b }}, {c.Embeds, func(b []byte) { n.Embeds = b }},
	} {
		if f.name == "" {
			continue
		}
		b, err := console.ReadBody(f.name)
		if err != nil {
			return err
		}
		f.put(b)
	}
	for _, name := range c.Attach {
		if place, ok := strings.CutPrefix(name, "s3://"); ok {
			n.Attachments = append(n.Attachments, attached{S3: place})
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		n.Attachments = append(n.Attachments, attached{Name: filepath.Base(name), Content: b})
	}
	return nil
}

// checkAddresses refuses what the handler would find out too late: it goes on
// to the next channel where one can't take an address or a text.
func checkAddresses(n channel.Notification) error {
	if len(n.To) > 0 {
		return nil // what is looked up is not known here
	}
	for _, address := range n.More {
		if problem := channel.CheckRecipient(n.Channel, address); problem != "" {
			return fmt.Errorf("field %q: %s %s", "recipient", n.Channel, problem)
		}
	}
	for _, on := range n.Chain() {
		address := n.Address(on)
		if problem := channel.CheckRecipient(on, address); problem != "" && (address != "" || on == n.Channel) {
			field := "recipient"
			if _, ok := n.Recipients[on]; ok {
				field = "recipients"
			}
			return fmt.Errorf("field %q: %s %s", field, on, problem)
		}
	}
	if n.Template != "" {
		return nil // what it makes is not known here
	}
	if problem := channel.CheckText(n.Channel, n.Subject, n.Body); problem != "" {
		return fmt.Errorf("field %q: %s", "body", problem)
	}
	return nil
}
