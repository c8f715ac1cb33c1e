package dlq

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/deliveries"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

type dlqShowCommand struct {
	dlqFlags
	Item string `arg:"" help:"The item, as list names it."`
}

func (c *dlqShowCommand) Run(ctx context.Context) error {
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	var letter replay.Letter
	if err := api.Call(ctx, http.MethodGet, c.path(c.Item), nil, &letter); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(letter)
	}
	if err := c.printItem(letter.Item); err != nil {
		return err
	}
	if len(letter.Attempts) > 0 {
		fmt.Println()
		if err := deliveries.PrintTries(terminal.Stdout(), letter.Attempts); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n", terminal.Lines(pretty(letter.Body)))
	return nil
}

func (c *dlqShowCommand) printItem(i replay.Item) error {
	return terminal.Stdout().Fields([][2]string{
		{"Item", i.ItemID}, {"Queue", c.Queue}, {"Webhook", i.WebhookID}, {"Event", i.EventType}, {"URL", i.URL}, {"Channel", i.Channel},
		{"Tenant", i.Tenant}, {"Reason", i.Reason}, {"Status", console.StatusText(i.LastStatus)}, {"Attempts", fmt.Sprint(i.Attempts)},
		{"First", console.TimeText(i.FirstAt)}, {"Last", console.TimeText(i.LastAt)},
	})
}

// pretty indents JSON, and leaves everything else as it is.
func pretty(body string) string {
	value := jsontext.Value(body)
	if err := value.Indent(jsontext.WithIndent("  "), jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true)); err != nil {
		return body
	}
	return string(value)
}
