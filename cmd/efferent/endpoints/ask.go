package endpoints

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/terminal"
)

type endpointsTestCommand struct {
	endpointFlags
	Type string `required:"" placeholder:"TYPE" help:"The type of the example."`
	Body string `placeholder:"JSON" help:"Its body; without it there is one that says that it is an example."`
}

func (c *endpointsTestCommand) Run(ctx context.Context) error {
	if c.Body != "" && !jsontext.Value(c.Body).IsValid() {
		return console.Misusedf("--body is not JSON")
	}
	asked := endpoints.Try{EventType: c.Type}
	if c.Body != "" {
		asked.Body = jsontext.Value(c.Body)
	}
	var t endpoints.Tried
	if err := c.call(ctx, http.MethodPost, "/test", asked, &t); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(t)
	}
	words := "sent " + t.WebhookID + "; efferent deliveries show " + t.WebhookID + " shows what comes of it"
	if t.State != "enabled" {
		words = t.WebhookID + " waits: the endpoint is " + string(t.State)
	}
	if !t.Matches {
		words += "; published, it would not go there: not by the endpoint's types, or not by its filter"
	}
	return terminal.Stdout().Say(words)
}

type endpointsVerifyCommand struct {
	endpointFlags
	Method string `default:"event" enum:"event,options" placeholder:"METHOD" help:"${endpoint_verify}"`
}

// Run fails where the receiver does not say that it wants events.
func (c *endpointsVerifyCommand) Run(ctx context.Context) error {
	var v endpoints.Verification
	if err := c.call(ctx, http.MethodPost, "/verify", endpoints.Verify{Method: c.Method}, &v); err != nil {
		return err
	}
	if c.JSON {
		if err := console.PrintJSON(v); err != nil {
			return err
		}
	}
	switch {
	case !v.Verified:
		return fmt.Errorf("%s is not verified: %s", c.ID, v.Reason)
	case c.JSON:
		return nil
	}
	return terminal.Stdout().Say(c.ID + " is verified, and " + string(v.Endpoint.State))
}
