package produce

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/settings"
)

// PublishCommand is efferent publish.
type PublishCommand struct {
	reach.QueueFlags
	Tenant   string `required:"" placeholder:"NAME" help:"Whose endpoints get it."`
	Event    string `required:"" placeholder:"TYPE" help:"The event type, such as invoice.paid."`
	Body     string `xor:"body" required:"" placeholder:"JSON" help:"The body to send, as JSON."`
	BodyFile string `xor:"body" required:"" placeholder:"FILE" help:"Read the body from a file; - is standard input."`
	ID       string `placeholder:"ID" help:"The event's id, which becomes the webhook-id."`
	Key      string `placeholder:"KEY" help:"An Idempotency-Key: under it the event is published once in 24 hours. By the API."`
	DryRun   bool   `help:"Only tell which endpoints would get it. By the API."`
	API      string `name:"api" env:"EFFERENT_API_URL" placeholder:"URL" help:"Publish by the API here, and not by the queue."`
	Token    string `env:"EFFERENT_API_TOKEN" placeholder:"JWT" help:"Send this token to the API instead of a signature."`
}

// published is what publish prints where the queue took the event.
type published struct {
	MessageID string `json:"message_id"`
	ID        string `json:"id"`
}

func (c *PublishCommand) Run(ctx context.Context) error {
	e, err := c.event()
	if err != nil {
		return err
	}
	if c.API != "" || c.DryRun || c.Key != "" {
		return c.byAPI(ctx, e)
	}
	messageID, err := c.Put(ctx, settings.EventsQueue, string(e.Text()), c.Tenant)
	if err != nil {
		return err
	}
	return console.PrintJSON(published{messageID, cmp.Or(c.ID, messageID)})
}

func (c *PublishCommand) byAPI(ctx context.Context, e event.Event) error {
	client, err := (&reach.APIFlags{Dev: c.Dev, API: c.API, Token: c.Token}).Client(ctx)
	if err != nil {
		return err
	}
	if c.Key != "" {
		client.Header = http.Header{"Idempotency-Key": {c.Key}}
	}
	path := "/api/v1/events"
	if c.DryRun {
		path += "?dry_run=true"
	}
	var out endpoints.Published
	if err := client.Call(ctx, http.MethodPost, path, jsontext.Value(e.Text()), &out); err != nil {
		return err
	}
	return console.PrintJSON(out)
}

// event builds the event and refuses here what fanout would refuse.
func (c *PublishCommand) event() (e event.Event, err error) {
	body := []byte(c.Body)
	if c.BodyFile != "" {
		if body, err = console.ReadBody(c.BodyFile); err != nil {
			return e, err
		}
	}
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
		return e, errors.New("the body is not JSON")
	}
	return event.Decode(event.Event{ID: c.ID, Tenant: c.Tenant, Type: c.Event, Body: body}.Text())
}
