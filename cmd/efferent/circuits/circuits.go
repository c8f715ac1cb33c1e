// Package circuits is efferent circuits: the circuit breakers of endpoints and hosts.
package circuits

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
	"github.com/efferent/efferent/internal/webhook"
)

// Command is efferent circuits.
type Command struct {
	List  circuitsListCommand  `cmd:"" help:"The circuits that are open, that messages wait for, or that failures are counted in."`
	Show  circuitsShowCommand  `cmd:"" help:"One circuit, and what waits for it."`
	Open  circuitsOpenCommand  `cmd:"" help:"${circuits_open}"`
	Close circuitsCloseCommand `cmd:"" help:"Send to an endpoint again: what waits for it goes out, a few at first."`
}

// circuitFlags name one circuit.
type circuitFlags struct {
	reach.APIFlags
	Circuit string `arg:"" help:"The endpoint's URL, or the circuit's id, as list --json gives it."`
	Tenant  string `placeholder:"NAME" help:"Whose endpoint the URL is, where its messages name a tenant."`
	Host    bool   `help:"The circuit of the URL's host, which all tenants share."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// name is whose circuit is meant; named is false where that is said by its id.
func (f *circuitFlags) name() (n circuit.Name, named bool, err error) {
	switch {
	case circuit.IsKey(f.Circuit) && (f.Host || f.Tenant != ""):
		return n, false, console.Misusedf("an id says it all: --host and --tenant are for URLs")
	case circuit.IsKey(f.Circuit):
		return n, false, nil
	case f.Host && f.Tenant != "":
		return n, false, console.Misusedf("--host and --tenant do not go together: a host is nobody's")
	}
	endpoint, host, err := webhook.EndpointOf(f.Circuit)
	switch {
	case err != nil:
		return n, false, console.Misusedf("this is no circuit's id, and no endpoint's URL: it %w", err)
	case f.Host:
		return circuit.Name{Scope: circuit.Host, URL: host}, true, nil
	}
	return circuit.Name{Scope: circuit.Endpoint, Tenant: f.Tenant, URL: endpoint}, true, nil
}

// call makes a request about a circuit that is known to the API.
func (f *circuitFlags) call(ctx context.Context, method, act string, in any) (c replay.Circuit, err error) {
	name, named, err := f.name()
	if err != nil {
		return c, err
	}
	id := f.Circuit
	if named {
		id = name.Key()
	}
	api, err := f.Client(ctx)
	if err != nil {
		return c, err
	}
	err = api.Call(ctx, method, "/api/v1/circuits/"+url.PathEscape(id)+act, in, &c)
	var refused *reach.APIError
	if named && errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		err = f.unknown(name)
	}
	return c, err
}

// unknown says that a circuit is not known, and which other one may be meant.
func (f *circuitFlags) unknown(name circuit.Name) error {
	whose, others := "", "; a tenant's is another one (--tenant), and so is the host's (--host)"
	switch {
	case name.Scope == circuit.Host:
		whose, others = " (host)", "; an endpoint's is another one (without --host)"
	case f.Tenant != "":
		whose, others = " of the tenant "+f.Tenant, "; the host's is another one (--host)"
	}
	return fmt.Errorf("no circuit of %s%s is known: it is closed, and nothing has failed there for a day%s", name.URL, whose, others)
}

// print says what became of a circuit: as JSON, or in words.
func (f *circuitFlags) print(c replay.Circuit, words string) error {
	if f.JSON {
		return console.PrintJSON(c)
	}
	return terminal.Stdout().Say(words)
}

type circuitsShowCommand struct{ circuitFlags }

func (c *circuitsShowCommand) Run(ctx context.Context) error {
	shown, err := c.call(ctx, http.MethodGet, "", nil)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return console.PrintJSON(shown)
	}
	return printCircuit(shown)
}

type circuitsOpenCommand struct {
	circuitFlags
	Why string `required:"" placeholder:"TEXT" help:"Why, for those who find the messages that were not sent."`
}

func (c *circuitsOpenCommand) Run(ctx context.Context) error {
	if c.Why == "" {
		return console.Misusedf("--why is empty: say why")
	}
	opened, err := c.open(ctx)
	if err != nil {
		return err
	}
	return c.print(opened, endpointText(opened)+" is open until it is closed by hand, and what is for it waits: "+opened.Why)
}

// open opens it, known or not, unless it is named by its id: then it must be known.
func (c *circuitsOpenCommand) open(ctx context.Context) (opened replay.Circuit, err error) {
	name, named, err := c.name()
	if err != nil || !named {
		if err == nil {
			opened, err = c.call(ctx, http.MethodPost, "/open", replay.OpenCircuit{Why: c.Why})
		}
		return opened, err
	}
	api, err := c.Client(ctx)
	if err != nil {
		return opened, err
	}
	err = api.Call(ctx, http.MethodPost, "/api/v1/circuits/open",
		replay.OpenCircuit{URL: name.URL, Tenant: name.Tenant, Scope: string(name.Scope), Why: c.Why}, &opened)
	return opened, err
}

type circuitsCloseCommand struct{ circuitFlags }

func (c *circuitsCloseCommand) Run(ctx context.Context) error {
	closed, err := c.call(ctx, http.MethodPost, "/close", nil)
	if err != nil {
		return err
	}
	words := endpointText(closed) + " is closed"
	if closed.Waiting > 0 {
		words += "; " + waitingText(closed) + " waiting for it, and go out, a few at first"
	}
	return c.print(closed, words)
}
