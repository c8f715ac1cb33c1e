// Package directory is efferent recipients, suppressions and templates: what is known of
// those who are notified.
package directory

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/terminal"
)

// RecipientsCommand is efferent recipients.
type RecipientsCommand struct {
	List   recipientsListCommand   `cmd:"" help:"A tenant's recipients."`
	Show   recipientsShowCommand   `cmd:"" help:"One recipient."`
	Put    recipientsPutCommand    `cmd:"" help:"Keep a recipient, in the place of what was kept of them."`
	Patch  recipientsPatchCommand  `cmd:"" help:"Change a recipient."`
	Rm     recipientsRmCommand     `cmd:"" help:"Remove a recipient, with their addresses."`
	OptOut recipientsOptOutCommand `cmd:"" help:"Send a recipient nothing of a topic."`
	OptIn  recipientsOptInCommand  `cmd:"" help:"Send a recipient what a topic has again."`
	Import recipientsImportCommand `cmd:"" help:"Keep many recipients: a JSON object on each line, with an id."`
}

// recipientsFlags say whose recipients are meant.
type recipientsFlags struct {
	reach.APIFlags
	Tenant string `default:"-" placeholder:"NAME" help:"Whose recipients; ${default} is for messages that name no tenant."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (f *recipientsFlags) ask(ctx context.Context, method, path string, in, into any) error {
	of := reach.TenantFlags{APIFlags: f.APIFlags, Tenant: f.Tenant}
	return of.Ask(ctx, method, "/recipients"+path, in, into)
}

// one makes a request about one recipient.
func (f *recipientsFlags) one(ctx context.Context, method, id string, in, into any) error {
	if problem := channel.CheckTo(id); problem != "" {
		return console.Misusedf("the id %q %s", id, problem)
	}
	return f.ask(ctx, method, "/"+id, in, into)
}

// say prints a recipient as JSON, or what became of them in words.
func (f *recipientsFlags) say(r recipient.Recipient, words string) error {
	if f.JSON {
		return console.PrintJSON(r)
	}
	return terminal.Stdout().Say(words)
}

type recipientFlags struct {
	recipientsFlags
	ID string `arg:"" name:"recipient" help:"The recipient's id, as messages name them."`
}

func (f *recipientFlags) call(ctx context.Context, method string, in, into any) error {
	return f.one(ctx, method, f.ID, in, into)
}

type recipientsListCommand struct {
	recipientsFlags
	Limit console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *recipientsListCommand) Run(ctx context.Context) error {
	all, err := reach.Paged(url.Values{}, c.Limit, func(query string) ([]recipient.Recipient, string, error) {
		var page directory.Recipients
		err := c.ask(ctx, http.MethodGet, "?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(directory.Recipients{Items: all.Items, Cursor: all.Cursor})
	}
	return all.Show("recipient", recipientColumns)
}

var recipientColumns = []terminal.Column[recipient.Recipient]{
	{Title: "RECIPIENT", Cell: func(r recipient.Recipient) string { return r.ID }},
	{Title: "ADDRESSES", Cell: func(r recipient.Recipient) string { return strings.Join(addressTexts(r), " ") }},
	{Title: "CHANNELS", Cell: func(r recipient.Recipient) string { return joined(r.Channels) }},
	{Title: "TOPICS", Cell: func(r recipient.Recipient) string { return strings.Join(topicTexts(r), " ") }},
}

func addressTexts(r recipient.Recipient) (all []string) {
	for _, on := range channel.Names {
		for _, address := range r.Addresses[on] {
			all = append(all, string(on)+"="+address)
		}
	}
	return all
}

// topicTexts are as --topic takes them.
func topicTexts(r recipient.Recipient) (all []string) {
	for pattern, topic := range r.Topics {
		switch {
		case topic.OptedOut:
			all = append(all, pattern+"=none")
		default:
			all = append(all, pattern+"="+joined(topic.Channels))
		}
	}
	slices.Sort(all)
	return all
}

func joined(all []channel.Name) string {
	texts := make([]string, len(all))
	for i, on := range all {
		texts[i] = string(on)
	}
	return strings.Join(texts, ",")
}

type recipientsShowCommand struct{ recipientFlags }

func (c *recipientsShowCommand) Run(ctx context.Context) error {
	var r recipient.Recipient
	if err := c.call(ctx, http.MethodGet, nil, &r); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(r)
	}
	return terminal.Stdout().Fields([][2]string{{"Recipient", r.ID}, {"Tenant", r.Tenant}, {"Addresses", strings.Join(addressTexts(r), " ")},
		{"Channels", joined(r.Channels)}, {"Topics", strings.Join(topicTexts(r), " ")}, {"Created", console.TimeText(r.Created)},
		{"Updated", console.TimeText(r.Updated)}, {"Version", fmt.Sprint(r.Version)}})
}

type recipientsPutCommand struct {
	recipientFlags
	Address []string          `sep:"none" placeholder:"CHANNEL=ADDRESS" help:"Where they are reached; may be repeated."`
	Channel []string          `placeholder:"CHANNEL" help:"The channels to use, in order; otherwise all that have an address."`
	Topic   map[string]string `mapsep:"none" placeholder:"PATTERN=CHANNELS" help:"${recipient_topic}"`
}

func (c *recipientsPutCommand) Run(ctx context.Context) error {
	r := recipient.Recipient{Channels: names(c.Channel), Addresses: map[channel.Name]recipient.Addresses{},
		Topics: map[string]recipient.Topic{}}
	for _, text := range c.Address {
		on, address, ok := strings.Cut(text, "=")
		if !ok {
			return console.Misusedf("--address %q is not as email=ann@acme.test", on)
		}
		r.Addresses[channel.Name(on)] = append(r.Addresses[channel.Name(on)], address)
	}
	for pattern, channels := range c.Topic {
		switch channels {
		case "none":
			r.Topics[pattern] = recipient.Topic{OptedOut: true}
		case "":
			r.Topics[pattern] = recipient.Topic{}
		default:
			r.Topics[pattern] = recipient.Topic{Channels: names(strings.Split(channels, ","))}
		}
	}
	asked, err := json.Marshal(map[string]any{"addresses": r.Addresses, "channels": r.Channels, "topics": r.Topics}, json.Deterministic(true))
	if err != nil {
		return console.Misusedf("an address or a topic is not valid UTF-8")
	}
	if err := c.call(ctx, http.MethodPut, jsontext.Value(asked), &r); err != nil {
		return err
	}
	return c.say(r, fmt.Sprintf("%s is kept, and has the version %d", r.ID, r.Version))
}

func names(texts []string) (all []channel.Name) {
	for _, text := range texts {
		all = append(all, channel.Name(text))
	}
	return all
}

type recipientsPatchCommand struct {
	recipientFlags
	Patch string `arg:"" name:"patch" help:"${recipient_patch}"`
}

func (c *recipientsPatchCommand) Run(ctx context.Context) error {
	patch, err := console.ReadPatch(c.Patch, `{"addresses": {"sms": null}}`)
	if err != nil {
		return err
	}
	return c.patch(ctx, patch, "is changed")
}

func (f *recipientFlags) patch(ctx context.Context, patch any, words string) error {
	var r recipient.Recipient
	if err := f.call(ctx, http.MethodPatch, patch, &r); err != nil {
		return err
	}
	return f.say(r, fmt.Sprintf("%s %s, and has the version %d", r.ID, words, r.Version))
}

type recipientsRmCommand struct {
	recipientFlags
	console.YesFlag
}

func (c *recipientsRmCommand) Run(ctx context.Context) error {
	if err := c.ConfirmOne(ctx, "Remove "+c.ID+" and their addresses? What is on its way to them by this id fails."); err != nil {
		return err
	}
	if err := c.call(ctx, http.MethodDelete, nil, nil); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(map[string]string{"deleted": c.ID})
	}
	return terminal.Stdout().Say("removed " + c.ID)
}

// topicFlags name a topic of a recipient, or several by a pattern.
type topicFlags struct {
	recipientFlags
	Topic string `arg:"" name:"topic" help:"A topic, or several: marketing.*, or * for all."`
}

func (f *topicFlags) opt(ctx context.Context, out bool, words string) error {
	topics := map[string]map[string]bool{f.Topic: {"opted_out": out}}
	return f.patch(ctx, map[string]any{"topics": topics}, words+" "+f.Topic)
}

type recipientsOptOutCommand struct{ topicFlags }

func (c *recipientsOptOutCommand) Run(ctx context.Context) error {
	return c.opt(ctx, true, "has opted out of")
}

type recipientsOptInCommand struct{ topicFlags }

func (c *recipientsOptInCommand) Run(ctx context.Context) error { return c.opt(ctx, false, "gets") }

type recipientsImportCommand struct {
	recipientsFlags
	File string `arg:"" name:"file" help:"The file; - is standard input."`
}

// Run stops at the first line that is not kept: what is before it was, and may be kept
// again.
func (c *recipientsImportCommand) Run(ctx context.Context) error {
	in, err := openImport(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	lines, kept := bufio.NewScanner(in), 0
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := c.keep(ctx, lines.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w; %d are kept before it", n, err, kept)
		}
		kept++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w; %d are kept", c.File, err, kept)
	}
	if c.JSON {
		return console.PrintJSON(map[string]int{"kept": kept})
	}
	return terminal.Stdout().Say(fmt.Sprintf("%d are kept", kept))
}

// openImport opens the file of that name; - is standard input.
func openImport(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(name)
}

func (c *recipientsImportCommand) keep(ctx context.Context, line jsontext.Value) error {
	var named struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(line, &named); err != nil {
		return console.Misusedf(`it is not a JSON object such as {"id": "user_7", "addresses": {"email": "ann@acme.test"}}`)
	}
	return c.one(ctx, http.MethodPut, named.ID, line, new(recipient.Recipient))
}
