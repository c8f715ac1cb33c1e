package dlq

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

type dlqListCommand struct {
	dlqFlags
	filterFlags
	Limit  console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
	Source string        `default:"index" enum:"index,queue" placeholder:"SOURCE" help:"${list_source}"`
}

func (c *dlqListCommand) Run(ctx context.Context) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	all, err := c.pages(ctx, api, filter)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return console.PrintJSON(all)
	case len(all.Items) > 0:
		err = terminal.Table(terminal.Stdout(), itemColumns, all.Items)
	}
	fmt.Fprintln(os.Stderr, c.summary(all, filter))
	return err
}

// pages joins the API's pages. One may be short or empty and yet not the last.
func (c *dlqListCommand) pages(ctx context.Context, api *reach.Client, filter replay.Filter) (all replay.Items, err error) {
	query := queryOf(filter)
	query.Set("queue", c.Queue)
	if c.Source != "index" {
		query.Set("source", c.Source)
	}
	p := terminal.NewProgress("listed")
	defer p.End()
	for {
		query.Set("limit", strconv.Itoa(c.Limit.Page(len(all.Items))))
		var page replay.Items
		if err := api.Call(ctx, http.MethodGet, "/api/v1/dlq?"+query.Encode(), nil, &page); err != nil {
			return all, err
		}
		all.Items, all.ApproximateTotal, all.Cursor = append(all.Items, page.Items...), page.ApproximateTotal, page.Cursor
		if page.Cursor == "" || c.Limit.Reached(len(all.Items)) {
			return all, nil
		}
		query.Set("cursor", page.Cursor)
		p.Set(int64(len(all.Items)), int64(c.outOf(page.ApproximateTotal)))
	}
}

func (c *dlqListCommand) outOf(total int) int {
	if c.Limit == 0 {
		return total
	}
	return min(total, int(c.Limit))
}

// summary is the line below the table.
func (c *dlqListCommand) summary(all replay.Items, filter replay.Filter) string {
	n, total := len(all.Items), all.ApproximateTotal
	listed, counted := console.Thousands(n), console.Thousands(total)
	switch {
	case c.Source == "queue" && n == console.PageLimit && total > n:
		return fmt.Sprintf("%s of about %s; more can't be read from the queue itself", listed, counted)
	case all.Cursor != "" && (total > n || filter != replay.Filter{}):
		return fmt.Sprintf("%s of about %s; more with --limit", listed, counted)
	case n == 0 && filter != replay.Filter{}:
		return fmt.Sprintf("nothing matches in %s, which holds about %s", c.Queue, counted)
	case n == 0 && total == 0:
		return c.Queue + " is empty."
	case c.Source == "index" && n < total && filter == replay.Filter{}:
		return fmt.Sprintf("%s listed, and SQS counts about %s, which may lag by a minute; what died without a handler is listed with "+
			"--source queue", listed, counted)
	}
	return fmt.Sprintf("%s of about %s", listed, counted)
}
