package produce

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// SendCommand is efferent send.
type SendCommand struct {
	reach.QueueFlags
	URL      string   `required:"" placeholder:"URL" help:"The endpoint."`
	Secret   string   `required:"" placeholder:"NAME" help:"${send_secret}"`
	Event    string   `required:"" placeholder:"TYPE" help:"The event type."`
	Body     string   `xor:"body" required:"" placeholder:"JSON" help:"The body to send, as JSON."`
	BodyFile string   `xor:"body" required:"" placeholder:"FILE" help:"Read the body from a file; - is standard input."`
	ID       string   `placeholder:"ID" help:"The webhook-id; otherwise the SQS message id."`
	Tenant   string   `placeholder:"NAME" help:"Whose message it is; busy tenants do not hold up others."`
	Header   []string `sep:"none" placeholder:"NAME:VALUE" help:"A header to send; may be repeated."`
	Retry    string   `placeholder:"POLICY" help:"The retry policy."`
	Timeout  string   `placeholder:"DURATION" help:"How long an exchange may take, 1s to 20s; otherwise EFFERENT_TIMEOUT."`
}

// message is a webhook message as a producer writes it, but for its body.
type message struct {
	ID        string            `json:"id,omitzero"`
	URL       string            `json:"url"`
	Secret    string            `json:"secret"`
	EventType string            `json:"event_type"`
	Tenant    string            `json:"tenant,omitzero"`
	Headers   map[string]string `json:"headers,omitzero"`
	Retry     string            `json:"retry,omitzero"`
	Timeout   string            `json:"timeout,omitzero"`
}

// Sent is what send prints.
type Sent struct {
	MessageID string `json:"message_id"`
	WebhookID string `json:"webhook_id"`
}

func (c *SendCommand) Run(ctx context.Context) error {
	text, err := c.Message()
	if err != nil {
		return err
	}
	messageID, err := c.Put(ctx, settings.WebhooksQueue, text, c.Tenant)
	if err != nil {
		return err
	}
	return console.PrintJSON(Sent{messageID, cmp.Or(c.ID, messageID)})
}

// Message builds the message and refuses here what delivery would refuse.
func (c *SendCommand) Message() (string, error) {
	body, err := c.body()
	if err != nil {
		return "", err
	}
	m := message{ID: c.ID, URL: c.URL, Secret: c.Secret, EventType: c.Event, Tenant: c.Tenant, Retry: c.Retry, Timeout: c.Timeout}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return "", console.Misusedf("--header %q is not NAME:VALUE", h)
		}
		if m.Headers == nil {
			m.Headers = map[string]string{}
		}
		m.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
		return "", errors.New("the body is not JSON")
	}
	head, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("the message can't be written: %w", err)
	}
	// The body goes in as it stands, since it is sent and signed byte for byte.
	text := append(bytes.TrimSuffix(head, []byte("}")), `,"body":`...)
	text = append(append(text, body...), '}')
	if _, err := webhook.Decode(text); err != nil {
		return "", err
	}
	return string(text), nil
}

func (c *SendCommand) body() ([]byte, error) {
	if c.BodyFile == "" {
		return []byte(c.Body), nil
	}
	return console.ReadBody(c.BodyFile)
}
