package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/settings"
)

type notifyCommand struct {
	queueFlags
	Channel    string            `required:"" placeholder:"CHANNEL" help:"email, slack or sms."`
	Recipient  string            `required:"" placeholder:"ADDRESS" help:"The address on that channel."`
	Subject    string            `placeholder:"TEXT" help:"The subject."`
	Body       string            `xor:"body" required:"" placeholder:"TEXT" help:"The text."`
	BodyFile   string            `xor:"body" required:"" placeholder:"FILE" help:"Read the text from a file; - is standard input."`
	Recipients map[string]string `mapsep:"," placeholder:"CHANNEL=ADDRESS" help:"The address to use on another channel; may be repeated."`
	Fallback   []string          `placeholder:"CHANNEL" help:"${notify_fallback}"`
	ID         string            `placeholder:"ID" help:"The notification's id; otherwise the SQS message id. No id is sent twice by SMS."`
	Tenant     string            `placeholder:"NAME" help:"Whose message it is; busy tenants do not hold up others."`

	Retry    string `placeholder:"POLICY" help:"The policy of the retries: seed, patient, …"`
	Deadline string `placeholder:"TIME" help:"After how long the next channel takes it: 90s, 15m (the default), 2h."`

	FallbackOnOptOut bool   `help:"Use the other channels even when the recipient has opted out of one."`
	ListUnsubscribe  string `placeholder:"URL" help:"Where to unsubscribe from such emails: an https or mailto URL."`
}

// notification is a message as a producer writes it.
type notification struct {
	ID               string            `json:"id,omitzero"`
	Channel          string            `json:"channel"`
	Recipient        string            `json:"recipient"`
	Subject          string            `json:"subject,omitzero"`
	Body             string            `json:"body"`
	Recipients       map[string]string `json:"recipients,omitzero"`
	Fallback         *[]string         `json:"fallback,omitzero"`
	FallbackOnOptOut bool              `json:"fallback_on_opt_out,omitzero"`
	ListUnsubscribe  string            `json:"list_unsubscribe,omitzero"`
	Tenant           string            `json:"tenant,omitzero"`
	Retry            string            `json:"retry,omitzero"`
	Deadline         string            `json:"deadline,omitzero"`
}

// notified is what notify prints.
type notified struct {
	MessageID      string `json:"message_id"`
	NotificationID string `json:"notification_id"`
}

func (c *notifyCommand) Run(ctx context.Context) error {
	text, err := c.message()
	if err != nil {
		return err
	}
	messageID, err := c.put(ctx, settings.NotificationsQueue, text, c.Tenant)
	if err != nil {
		return err
	}
	return printJSON(notified{messageID, cmp.Or(c.ID, messageID)})
}

// message builds the message and refuses here what the handler would refuse.
func (c *notifyCommand) message() (string, error) {
	body := c.Body
	if c.BodyFile != "" {
		read, err := readBody(c.BodyFile)
		if err != nil {
			return "", err
		}
		body = strings.TrimSuffix(string(read), "\n")
	}
	n := notification{
		ID: c.ID, Channel: c.Channel, Recipient: c.Recipient, Subject: c.Subject, Body: body, Recipients: c.Recipients,
		FallbackOnOptOut: c.FallbackOnOptOut, ListUnsubscribe: c.ListUnsubscribe, Tenant: c.Tenant,
		Retry: c.Retry, Deadline: c.Deadline,
	}
	switch {
	case slices.Equal(c.Fallback, []string{"none"}):
		n.Fallback = &[]string{}
	case len(c.Fallback) > 0:
		n.Fallback = &c.Fallback
	}
	text, err := json.Marshal(n, json.Deterministic(true))
	if err != nil {
		return "", errors.New("the message is not valid UTF-8")
	}
	decoded, err := channel.Decode(text)
	if err != nil {
		return "", err
	}
	return string(text), checkAddresses(decoded)
}

// checkAddresses refuses what the handler would find out too late: it goes on
// to the next channel where one can't take an address or a text.
func checkAddresses(n channel.Notification) error {
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
	if problem := channel.CheckText(n.Channel, n.Subject, n.Body); problem != "" {
		return fmt.Errorf("field %q: %s", "body", problem)
	}
	return nil
}

// readBody reads a file; - is standard input.
func readBody(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}
