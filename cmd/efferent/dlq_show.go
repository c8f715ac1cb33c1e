package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"text/tabwriter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/handlers/replay"
)

type dlqShowCommand struct {
	dlqFlags
	Item string `arg:"" help:"The item, as list names it."`
}

func (c *dlqShowCommand) Run(ctx context.Context) error {
	api, err := c.client(ctx)
	if err != nil {
		return err
	}
	var letter replay.Letter
	if err := api.call(ctx, http.MethodGet, c.path(c.Item), nil, &letter); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(letter)
	}
	if err := c.printItem(letter.Item); err != nil {
		return err
	}
	if len(letter.Attempts) > 0 {
		fmt.Println()
		if err := printTable(attemptColumns, letter.Attempts); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n", manyLines(pretty(letter.Body)))
	return nil
}

func (c *dlqShowCommand) printItem(i replay.Item) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, field := range [][2]string{
		{"Item", i.ItemID}, {"Queue", c.Queue}, {"Webhook", i.WebhookID}, {"Event", i.EventType}, {"URL", i.URL}, {"Channel", i.Channel},
		{"Tenant", i.Tenant}, {"Reason", i.Reason}, {"Status", statusText(i.LastStatus)}, {"Attempts", fmt.Sprint(i.Attempts)},
		{"First", timeText(i.FirstAt)}, {"Last", timeText(i.LastAt)},
	} {
		if field[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", field[0], oneLine(field[1]))
		}
	}
	return w.Flush()
}

// pretty indents JSON, and leaves everything else as it is.
func pretty(body string) string {
	value := jsontext.Value(body)
	if err := value.Indent(jsontext.WithIndent("  "), jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true)); err != nil {
		return body
	}
	return string(value)
}
