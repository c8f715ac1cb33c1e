package directory

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/terminal"
)

// SuppressionsCommand is efferent suppressions.
type SuppressionsCommand struct {
	List   suppressionsListCommand   `cmd:"" help:"The addresses that a tenant's notifications are not sent to."`
	Add    suppressionsAddCommand    `cmd:"" help:"Put an address on the list."`
	Rm     suppressionsRmCommand     `cmd:"" help:"Take an address from the list."`
	Import suppressionsImportCommand `cmd:"" help:"Put many on it: a JSON object on each line, with channel and address."`
}

// suppressionsFlags say whose list is meant.
type suppressionsFlags struct {
	reach.APIFlags
	Tenant string `default:"-" placeholder:"NAME" help:"Whose list; ${default} is for messages that name no tenant."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (f *suppressionsFlags) ask(ctx context.Context, method, path string, in, into any) error {
	of := reach.TenantFlags{APIFlags: f.APIFlags, Tenant: f.Tenant}
	return of.Ask(ctx, method, "/suppressions"+path, in, into)
}

type suppressionsListCommand struct {
	suppressionsFlags
	Channel string        `group:"Filters" placeholder:"CHANNEL" help:"Only those on this channel."`
	Address string        `group:"Filters" placeholder:"ADDRESS" help:"Only this one; with --channel."`
	Reason  string        `group:"Filters" placeholder:"REASON" help:"Only those for a bounce, complaint or stop, or by_hand."`
	Limit   console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *suppressionsListCommand) Run(ctx context.Context) error {
	query := url.Values{}
	for name, text := range map[string]string{"channel": c.Channel, "address": c.Address, "reason": c.Reason} {
		if text != "" {
			query.Set(name, text)
		}
	}
	all, err := reach.Paged(query, c.Limit, func(query string) ([]suppression.Entry, string, error) {
		var page directory.Suppressions
		err := c.ask(ctx, http.MethodGet, "?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(directory.Suppressions{Items: all.Items, Cursor: all.Cursor})
	}
	return all.Show("suppression", suppressionColumns)
}

var suppressionColumns = []terminal.Column[suppression.Entry]{
	{Title: "CHANNEL", Cell: func(e suppression.Entry) string { return string(e.Channel) }},
	{Title: "ADDRESS", Cell: func(e suppression.Entry) string { return e.Address }},
	{Title: "REASON", Cell: func(e suppression.Entry) string { return string(e.Reason) }},
	{Title: "SINCE", Cell: func(e suppression.Entry) string { return console.TimeText(e.Since) }},
	{Title: "SOURCE", Cell: func(e suppression.Entry) string { return e.Source }, Optional: true},
	{Title: "NOTE", Cell: func(e suppression.Entry) string { return e.Note }, Optional: true},
}

type suppressionsAddCommand struct {
	suppressionsFlags
	Channel string            `arg:"" help:"email, sms, slack, teams, discord or webhook."`
	Address string            `arg:"" help:"The address there."`
	Note    string            `placeholder:"TEXT" help:"Why, for those who find it so."`
	Reason  string            `placeholder:"REASON" help:"bounce, complaint or stop, where another list says so; otherwise by_hand."`
	Since   *console.PastTime `placeholder:"TIME" help:"When that was: 2026-11-24T08:00:00Z, or 2h or 3d ago; otherwise now."`
	Source  string            `placeholder:"ID" help:"What the provider calls the report, or the message that it is about."`
}

func (c *suppressionsAddCommand) Run(ctx context.Context) error {
	asked := directory.NewSuppression{Channel: channel.Name(c.Channel), Address: c.Address, Reason: suppression.Reason(c.Reason),
		Source: c.Source, Note: c.Note}
	if c.Since != nil {
		asked.Since = c.Since.Time
	}
	var e suppression.Entry
	if err := c.ask(ctx, http.MethodPost, "", asked, &e); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(e)
	}
	return terminal.Stdout().Say(fmt.Sprintf("%s is suppressed on %s since %s, %s", e.Address, e.Channel, console.TimeText(e.Since),
		e.Reason.Words()))
}

type suppressionsRmCommand struct {
	suppressionsFlags
	Channel string `arg:"" help:"The channel."`
	Address string `arg:"" help:"The address there."`
}

func (c *suppressionsRmCommand) Run(ctx context.Context) error {
	on := channel.Name(c.Channel)
	if !slices.Contains(channel.Names, on) {
		return console.Misusedf("there is no channel %q", c.Channel)
	}
	address := suppression.Normalize(on, c.Address)
	if err := c.ask(ctx, http.MethodDelete, "/"+suppression.IDOf(on, address), nil, nil); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(map[string]string{"removed": address})
	}
	return terminal.Stdout().Say(address + " is sent to again on " + c.Channel)
}

type suppressionsImportCommand struct {
	suppressionsFlags
	File string `arg:"" default:"-" help:"The file; - is standard input."`
}

func (c *suppressionsImportCommand) Run(ctx context.Context) error {
	in, err := openImport(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	all, err := readSuppressions(in)
	if err != nil {
		return err
	}
	var sum directory.Imported
	for some := range slices.Chunk(all, importedAtOnce) {
		var made directory.Imported
		if err := c.ask(ctx, http.MethodPost, "/import", directory.NewSuppressions{Items: some}, &made); err != nil {
			return fmt.Errorf("after %d of %d: %w", sum.Added+sum.Stayed, len(all), err)
		}
		sum.Added, sum.Stayed = sum.Added+made.Added, sum.Stayed+made.Stayed
	}
	if c.JSON {
		return console.PrintJSON(sum)
	}
	return terminal.Stdout().Say(fmt.Sprintf("%s put on the list, %s were there already or were taken from it since",
		console.Thousands(sum.Added),
		console.Thousands(sum.Stayed)))
}

// importedAtOnce is how many a request has: with all that an entry may have they fit.
const importedAtOnce = 200

// readSuppressions reads an object from each line that is not empty. Its errors name
// the line, and no address.
func readSuppressions(in io.Reader) (all []directory.NewSuppression, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var one directory.NewSuppression
		if err := json.Unmarshal(lines.Bytes(), &one, json.RejectUnknownMembers(true)); err != nil {
			return nil, console.Misusedf(`line %d is no object such as {"channel": "email", "address": "ann@acme.test", "reason": "bounce"}`, n)
		}
		all = append(all, one)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read what is to be imported: %w", err)
	}
	if len(all) == 0 {
		return nil, console.Misusedf("there is nothing to import")
	}
	return all, nil
}
