// Package endpoints is efferent endpoints: those that tenants have registered.
package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/terminal"
)

// Command is efferent endpoints.
type Command struct {
	Create     endpointsCreateCommand     `cmd:"" help:"Register an endpoint, and print the key that its receiver needs."`
	List       endpointsListCommand       `cmd:"" help:"A tenant's endpoints."`
	Show       endpointsShowCommand       `cmd:"" help:"One endpoint."`
	Patch      endpointsPatchCommand      `cmd:"" help:"Change an endpoint."`
	Rm         endpointsRmCommand         `cmd:"" help:"Delete an endpoint, and its key."`
	Pause      endpointsPauseCommand      `cmd:"" help:"Have what is for an endpoint wait."`
	Resume     endpointsResumeCommand     `cmd:"" help:"Send to an endpoint again, with what waits for it."`
	Disable    endpointsDisableCommand    `cmd:"" help:"As pause: what is for it waits, and it is listed as disabled."`
	Enable     endpointsEnableCommand     `cmd:"" help:"As resume."`
	Rotate     endpointsRotateCommand     `cmd:"" help:"Make a new key; the one before signs beside it for a while."`
	Secret     endpointsSecretCommand     `cmd:"" help:"Print the key that the receiver checks signatures by."`
	Replay     endpointsReplayCommand     `cmd:"" help:"Send what failed at an endpoint again, or what it never had."`
	Deliveries endpointsDeliveriesCommand `cmd:"" help:"The attempts at an endpoint, newest first."`
	Test       endpointsTestCommand       `cmd:"" help:"Send an example of an event type to an endpoint."`
	Verify     endpointsVerifyCommand     `cmd:"" help:"Ask an endpoint's receiver whether it wants events."`
	Token      endpointsTokenCommand      `cmd:"" help:"Make a token for a customer's own page: one tenant, and a while."`
}

// endpointFlags name one endpoint.
type endpointFlags struct {
	reach.TenantFlags
	ID string `arg:"" name:"endpoint" help:"The endpoint's id: ep_…"`
}

func (f *endpointFlags) call(ctx context.Context, method, act string, in, into any) error {
	if f.ID == "" || f.ID == "." || f.ID == ".." {
		return console.Misusedf("%q is no endpoint's id: such as ep_2Ck9mUPxQbqVZ9yTzTZmJ4", f.ID)
	}
	return f.Ask(ctx, method, "/endpoints/"+url.PathEscape(f.ID)+act, in, into)
}

type endpointsCreateCommand struct {
	reach.TenantFlags
	URL         string            `arg:"" name:"url" help:"Where its messages are posted to."`
	Type        []string          `required:"" placeholder:"PATTERN" help:"${endpoint_type}"`
	Filter      string            `placeholder:"JSON" help:"What the body of an event must be like."`
	Signature   string            `placeholder:"JSON" help:"What another service signed, such as {\"scheme\": \"svix\"} (docs/migrating.md)."`
	Secret      string            `placeholder:"NAME" help:"The secret that signs, under efferent/webhooks/; without it a key is made."`
	Key         string            `placeholder:"KIND" help:"The kind of the key that is made: whsec, or whsk, a private one."`
	Retry       string            `placeholder:"POLICY" help:"The retry policy."`
	Timeout     string            `placeholder:"TIME" help:"For one exchange, such as 15s."`
	Rate        float64           `placeholder:"N" help:"The most messages a second."`
	Header      map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header to send; may be repeated."`
	Auth        map[string]string `mapsep:"none" placeholder:"NAME=SECRET" help:"A header whose value is in a secret; may be repeated."`
	Description string            `placeholder:"TEXT" help:"What it is."`
	Label       map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A label of your own; may be repeated."`
	State       string            `placeholder:"STATE" help:"paused or disabled, to begin so."`
}

func (c *endpointsCreateCommand) Run(ctx context.Context) error {
	fields := map[string]any{"url": c.URL, "event_types": c.Type}
	for name, text := range map[string]string{"secret": c.Secret, "key": c.Key, "retry": c.Retry, "timeout": c.Timeout,
		"description": c.Description, "state": c.State} {
		if text != "" {
			fields[name] = text
		}
	}
	for name, pairs := range map[string]map[string]string{"headers": c.Header, "auth": c.Auth, "labels": c.Label} {
		if len(pairs) > 0 {
			fields[name] = pairs
		}
	}
	if c.Rate != 0 {
		fields["rate_per_second"] = c.Rate
	}
	for name, text := range map[string]string{"filter": c.Filter, "signature": c.Signature} {
		if text == "" {
			continue
		}
		if !jsontext.Value(text).IsValid() {
			return console.Misusedf("--%s is not JSON", name)
		}
		fields[name] = jsontext.Value(text)
	}
	body, err := json.Marshal(fields, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("the request can't be written: %w", err)
	}
	var e endpoints.Endpoint
	if err := c.Ask(ctx, http.MethodPost, "/endpoints", jsontext.Value(body), &e); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(e)
	}
	if err := printEndpoint(e); err != nil || e.ReceiverKey == "" {
		return err
	}
	fmt.Fprintln(os.Stderr, "The receiver checks signatures by this key; endpoints secret shows it again.")
	return nil
}

type endpointsShowCommand struct{ endpointFlags }

func (c *endpointsShowCommand) Run(ctx context.Context) error {
	var e endpoints.Endpoint
	if err := c.call(ctx, http.MethodGet, "", nil, &e); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(e)
	}
	return printEndpoint(e)
}

type endpointsPatchCommand struct {
	endpointFlags
	Patch string `arg:"" name:"patch" help:"${endpoint_patch}"`
}

func (c *endpointsPatchCommand) Run(ctx context.Context) error {
	patch, err := console.ReadPatch(c.Patch, `{"url": "https://hooks.acme.test/in"}`)
	if err != nil {
		return err
	}
	var e endpoints.Endpoint
	if err := c.call(ctx, http.MethodPatch, "", patch, &e); err != nil {
		return err
	}
	return c.Say(e, fmt.Sprintf("%s is changed, and has the version %d", e.ID, e.Version))
}

type endpointsRmCommand struct {
	endpointFlags
	console.YesFlag
}

func (c *endpointsRmCommand) Run(ctx context.Context) error {
	if err := c.ConfirmOne(ctx, "Delete the endpoint "+c.ID+" of "+c.Tenant+" and its key? What is on its way to it fails."); err != nil {
		return err
	}
	if err := c.call(ctx, http.MethodDelete, "", nil, nil); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(map[string]string{"deleted": c.ID})
	}
	return terminal.Stdout().Say("deleted " + c.ID)
}

// becauseFlags are of what holds an endpoint's messages.
type becauseFlags struct {
	endpointFlags
	Why string `placeholder:"TEXT" help:"Why, for those who find it so."`
}

// into brings an endpoint into a state.
func (f *endpointFlags) into(ctx context.Context, act, why string) error {
	var in any
	if why != "" {
		in = endpoints.Because{Why: why}
	}
	var e endpoints.Endpoint
	if err := f.call(ctx, http.MethodPost, "/"+act, in, &e); err != nil {
		return err
	}
	words := e.ID + " is " + string(e.State)
	if e.Why != "" {
		words += ", and what is for it waits: " + e.Why
	}
	return f.Say(e, words)
}

type endpointsPauseCommand struct{ becauseFlags }

func (c *endpointsPauseCommand) Run(ctx context.Context) error { return c.into(ctx, "pause", c.Why) }

type endpointsDisableCommand struct{ becauseFlags }

func (c *endpointsDisableCommand) Run(ctx context.Context) error {
	return c.into(ctx, "disable", c.Why)
}

type endpointsResumeCommand struct{ endpointFlags }

func (c *endpointsResumeCommand) Run(ctx context.Context) error { return c.into(ctx, "resume", "") }

type endpointsEnableCommand struct{ endpointFlags }

func (c *endpointsEnableCommand) Run(ctx context.Context) error { return c.into(ctx, "enable", "") }

type endpointsRotateCommand struct {
	endpointFlags
	Grace *time.Duration `placeholder:"24h" help:"How long the key before signs too, 0 to 168h (24h)."`
	Key   string         `placeholder:"KIND" help:"The kind of the new key, whsec or whsk; that of the old one without it."`
}

func (c *endpointsRotateCommand) Run(ctx context.Context) error {
	var in any
	if c.Grace != nil || c.Key != "" {
		asked := endpoints.Rotate{Key: c.Key}
		if c.Grace != nil {
			asked.Grace = c.Grace.String()
		}
		in = asked
	}
	return c.secret(ctx, http.MethodPost, "/rotate", in)
}

type endpointsSecretCommand struct{ endpointFlags }

func (c *endpointsSecretCommand) Run(ctx context.Context) error {
	return c.secret(ctx, http.MethodGet, "/secret", nil)
}

// secret prints the key alone, for scripts, and what else there is to know after it.
func (f *endpointFlags) secret(ctx context.Context, method, act string, in any) error {
	var s endpoints.Secret
	if err := f.call(ctx, method, act, in, &s); err != nil {
		return err
	}
	if f.JSON {
		return console.PrintJSON(s)
	}
	fmt.Println(terminal.Line(s.ReceiverKey))
	if s.PreviousReceiverKey != "" {
		fmt.Fprintln(os.Stderr, "the key before signs beside it until "+s.PreviousUntil.UTC().Format(time.RFC3339))
	}
	return nil
}

type endpointsTokenCommand struct {
	reach.TenantFlags
	For      time.Duration `default:"1h" placeholder:"TIME" help:"How long it is good for, 1m to 24h (${default})."`
	ReadOnly bool          `help:"It changes nothing, and shows no key."`
}

func (c *endpointsTokenCommand) Run(ctx context.Context) error {
	var t endpoints.Token
	in := endpoints.NewToken{ExpiresIn: c.For.String(), ReadOnly: c.ReadOnly}
	if err := c.Ask(ctx, http.MethodPost, "/tokens", in, &t); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(t)
	}
	fmt.Println(terminal.Line(t.Token))
	fmt.Fprintln(os.Stderr, "good for "+strings.TrimSpace(t.Tenant)+" until "+t.ExpiresAt.UTC().Format(time.RFC3339))
	return nil
}
