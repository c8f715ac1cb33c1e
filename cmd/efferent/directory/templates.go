package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/directory"
	messages "github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/terminal"
)

// TemplatesCommand is efferent templates.
type TemplatesCommand struct {
	List    templatesListCommand    `cmd:"" help:"A tenant's templates."`
	Show    templatesShowCommand    `cmd:"" help:"The versions of a template, and the sources of one of them."`
	Put     templatesPutCommand     `cmd:"" help:"Keep a new version of a template, and make it current."`
	Preview templatesPreviewCommand `cmd:"" help:"Show what a template makes of data, channel by channel; also of files, before they are put."`
	Use     templatesUseCommand     `cmd:"" help:"Make a version current: to roll back, or to go on."`
	Rm      templatesRmCommand      `cmd:"" help:"Delete a template, or a version that is not current."`
}

// templateOwner says whose templates are meant.
type templateOwner struct {
	reach.APIFlags
	Tenant string `default:"-" placeholder:"NAME" help:"Whose template; - for those of all tenants that have none of that name."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (f *templateOwner) ask(ctx context.Context, method, path string, in, into any) error {
	of := reach.TenantFlags{APIFlags: f.APIFlags, Tenant: f.Tenant, JSON: f.JSON}
	return of.Ask(ctx, method, path, in, into)
}

// templateFlags name a template of a tenant.
type templateFlags struct {
	templateOwner
	Name string `arg:"" name:"template" help:"The template's name; NAME@VERSION for a version of it."`
}

// ref is what the name names; version is 0 where it names none.
func (f *templateFlags) ref() (name string, version int64, err error) {
	name, version, problem := messages.TemplateOf(f.Name)
	if problem != "" {
		return "", 0, console.Misusedf("%q is no template's name: it %s", f.Name, problem)
	}
	return name, version, nil
}

// call makes a request about the template, or its version where one is named.
func (f *templateFlags) call(ctx context.Context, method, act string, in, into any) error {
	name, version, err := f.ref()
	if err != nil {
		return err
	}
	path := "/templates/" + name
	if version != 0 {
		path += fmt.Sprintf("/versions/%d", version)
	}
	return f.ask(ctx, method, path+act, in, into)
}

type templatesListCommand struct {
	templateOwner
	Limit console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *templatesListCommand) Run(ctx context.Context) error {
	all, err := reach.Paged(url.Values{}, c.Limit, func(query string) ([]template.Head, string, error) {
		var page directory.Templates
		err := c.ask(ctx, http.MethodGet, "/templates?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(directory.Templates{Items: all.Items, Cursor: all.Cursor})
	}
	return all.Show("template", templateColumns)
}

var templateColumns = []terminal.Column[template.Head]{
	{Title: "NAME", Cell: func(h template.Head) string { return h.Name }},
	{Title: "CURRENT", Cell: func(h template.Head) string { return fmt.Sprint(h.Current) }},
	{Title: "NEWEST", Cell: func(h template.Head) string { return fmt.Sprint(h.Last) }},
	{Title: "VERSIONS", Cell: func(h template.Head) string { return fmt.Sprint(len(h.Versions)) }},
	{Title: "UPDATED", Cell: func(h template.Head) string { return console.TimeText(h.Updated) }},
}

type templatesShowCommand struct {
	templateFlags
	Part string `placeholder:"PART" help:"Print the source of this part alone: ${template_parts}."`
}

func (c *templatesShowCommand) Run(ctx context.Context) error {
	var shown directory.Template
	if err := c.call(ctx, http.MethodGet, "", nil, &shown); err != nil {
		return err
	}
	switch source, ok := shown.Parts[template.Part(c.Part)]; {
	case c.Part != "" && !ok:
		return fmt.Errorf("%s@%d has no part %q", shown.Name, shown.Version, c.Part)
	case c.Part != "":
		_, err := fmt.Print(source)
		return err
	case c.JSON:
		return console.PrintJSON(shown)
	}
	return printTemplate(shown)
}

type templatesPutCommand struct {
	templateFlags
	From string `arg:"" name:"from" help:"A folder with the parts, each a file: ${template_files}. Or one file: HTML, or the text."`
}

func (c *templatesPutCommand) Run(ctx context.Context) error {
	parts, err := readTemplate(c.From)
	if err != nil {
		return err
	}
	_, version, err := c.ref()
	switch {
	case err != nil:
		return err
	case version != 0:
		return console.Misusedf("a version never changes: leave out @%d, and a new one is kept", version)
	}
	var put directory.Template
	if err := c.call(ctx, http.MethodPut, "", directory.NewTemplate{Parts: parts}, &put); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(put)
	}
	return terminal.Stdout().Say(put.Ref() + " is current")
}

type templatesUseCommand struct{ templateFlags }

func (c *templatesUseCommand) Run(ctx context.Context) error {
	name, version, err := c.ref()
	if err != nil {
		return err
	}
	if version == 0 {
		return console.Misusedf("which version? %s@2 makes the second one current", name)
	}
	var used directory.Template
	if err := c.ask(ctx, http.MethodPost, "/templates/"+name+"/use", directory.UseVersion{Version: version}, &used); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(used)
	}
	return terminal.Stdout().Say(used.Ref() + " is current")
}

type templatesRmCommand struct{ templateFlags }

func (c *templatesRmCommand) Run(ctx context.Context) error {
	if err := c.call(ctx, http.MethodDelete, "", nil, nil); err != nil {
		return err
	}
	return terminal.Stdout().Say("deleted " + c.Name)
}

// printTemplate prints a version: the others by their numbers, and its sources.
func printTemplate(t directory.Template) error {
	var others []string
	for _, kept := range t.Versions {
		others = append(others, fmt.Sprintf("%d (%s)", kept.Version, console.TimeText(kept.Created)))
	}
	s := terminal.Stdout()
	err := s.Fields([][2]string{{"Template", t.Ref()}, {"Tenant", t.Tenant}, {"Current", fmt.Sprint(t.Current)},
		{"Versions", strings.Join(others, ", ")}})
	for _, part := range template.Parts {
		if source, ok := t.Parts[part]; ok {
			_, printed := fmt.Fprintf(s.Out, "\n%s:\n%s\n", part, terminal.Lines(strings.TrimRight(source, "\n")))
			err = errors.Join(err, printed)
		}
	}
	return err
}
