package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/directory"
	messages "github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/template/render"
	"github.com/efferent/efferent/internal/terminal"
)

type templatesPreviewCommand struct {
	templateOwner
	Name     string   `arg:"" optional:"" name:"template" help:"The template's name, or NAME@VERSION; left out with --from."`
	From     string   `placeholder:"PATH" help:"Take these files instead of what is kept: a folder or a file, as put has it."`
	Data     string   `placeholder:"FILE" help:"The data: a file with a JSON object, - for standard input, or the object itself."`
	Channel  []string `placeholder:"CHANNEL" help:"Only what goes out on this channel; may be repeated."`
	HTMLFile string   `name:"html-file" placeholder:"FILE" help:"Write the email's HTML to this file, to open it."`
}

func (c *templatesPreviewCommand) Run(ctx context.Context) error {
	all, err := c.preview(ctx)
	if err != nil {
		return err
	}
	if c.HTMLFile != "" {
		if err := c.writeHTML(all); err != nil {
			return err
		}
	}
	failed := 0
	for _, p := range all {
		if p.Error != "" {
			failed++
		}
	}
	if c.JSON {
		err = console.PrintJSON(directory.Preview{Items: all})
	} else {
		err = showPreview(all)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("on %d of %d channels nothing can be sent", failed, len(all))
	}
	return err
}

func (c *templatesPreviewCommand) preview(ctx context.Context) ([]render.Previewed, error) {
	data, err := console.ReadData(c.Data)
	if err != nil {
		return nil, err
	}
	var on []channel.Name
	for _, name := range c.Channel {
		on = append(on, channel.Name(name))
	}
	switch {
	case (c.Name == "") == (c.From == ""):
		return nil, console.Misusedf("which template? Give a name, or --from for files that are not put yet")
	case c.From != "":
		return previewFiles(c.From, on, data)
	}
	f := templateFlags{c.templateOwner, c.Name}
	var answer directory.Preview
	err = f.call(ctx, http.MethodPost, "/preview", directory.NewPreview{Data: data, Channels: on}, &answer)
	return answer.Items, err
}

func previewFiles(from string, on []channel.Name, data jsontext.Value) ([]render.Previewed, error) {
	for _, name := range on {
		if !slices.Contains(channel.Names, name) {
			return nil, console.Misusedf("--channel %q is none", name)
		}
	}
	parts, err := readTemplate(from)
	if err != nil {
		return nil, err
	}
	t := template.Template{Name: previewName(from), Parts: parts}
	if err := render.Check(t); err != nil {
		return nil, err
	}
	return render.Preview(t, on, data), nil
}

// previewName is what errors call files that are put under no name yet.
func previewName(from string) string {
	name := filepath.Base(filepath.Clean(from))
	if name = strings.TrimSuffix(name, filepath.Ext(name)); messages.CheckTemplateName(name) != "" {
		return "preview"
	}
	return name
}

func (c *templatesPreviewCommand) writeHTML(all []render.Previewed) error {
	for _, p := range all {
		if p.HTML != "" {
			return os.WriteFile(c.HTMLFile, []byte(p.HTML), 0o600)
		}
	}
	return errors.New("--html-file: it makes no HTML")
}

// showPreview prints what is made for each channel: texts as they are, JSON as it is
// sent.
func showPreview(all []render.Previewed) error {
	s := terminal.Stdout()
	for i, p := range all {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		segments := ""
		if p.Segments > 0 {
			segments = fmt.Sprint(p.Segments)
		}
		err := s.Fields([][2]string{{"Channel", string(p.Channel)}, {"Error", p.Error}, {"Subject", p.Subject}, {"SMS", segments},
			{"Blocks", string(p.Blocks)}, {"Card", string(p.Card)}, {"Embeds", string(p.Embeds)}})
		for _, text := range []string{p.Body, p.HTML} {
			if text != "" {
				_, printed := fmt.Fprintf(s.Out, "\n%s\n", terminal.Lines(strings.TrimRight(text, "\n")))
				err = errors.Join(err, printed)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
