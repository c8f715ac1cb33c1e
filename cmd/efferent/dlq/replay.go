package dlq

import (
	"context"
	"fmt"
	"net/http"

	"github.com/efferent/efferent/cmd/efferent/acts"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
)

type dlqReplayCommand struct {
	dlqFlags
	filterFlags
	console.YesFlag
	Items  []string     `arg:"" optional:"" name:"item" help:"The items, as list names them."`
	All    bool         `help:"Replay all, by SQS's own message move task, and wait for its end."`
	Rate   console.Rate `placeholder:"N" help:"With --all: at most so many messages a second, 1 to 500."`
	NoWait bool         `help:"With --all: do not wait."`
}

func (c *dlqReplayCommand) Run(ctx context.Context) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	if err := c.check(filter); err != nil {
		return err
	}
	api, err := c.Client(ctx)
	switch {
	case err != nil:
		return err
	case c.All:
		return c.all(ctx, api)
	case len(c.Items) > 0:
		return c.items(ctx, api)
	}
	return c.matching(ctx, api, filter)
}

// check refuses what is not exactly one way to say what to replay.
func (c *dlqReplayCommand) check(filter replay.Filter) error {
	ways := 0
	for _, way := range []bool{c.All, len(c.Items) > 0, filter != replay.Filter{}} {
		if way {
			ways++
		}
	}
	switch {
	case ways == 0:
		return console.Misusedf("what is to be replayed? Name items, or use --all, or a filter such as --tenant")
	case ways > 1:
		return console.Misusedf("items, --all and filters do not go together: use one of them")
	case !c.All && (c.Rate != 0 || c.NoWait):
		return console.Misusedf("--rate and --no-wait go with --all")
	}
	return nil
}

func (c *dlqReplayCommand) items(ctx context.Context, api *reach.Client) error {
	if n := len(acts.Distinct(c.Items)); n > 1 {
		question := func() (string, error) {
			return fmt.Sprintf("Replay %d messages of %s to their queue?", n, c.Queue), nil
		}
		if err := c.Confirm(ctx, question); err != nil {
			return err
		}
	}
	acts := &acts.Each{Did: "replayed", Queue: c.Queue, JSON: c.JSON,
		Ask: c.asker(api, http.MethodPost, func(id string) string { return c.path("replay", id) }),
		Line: func(t replay.Task) string {
			return fmt.Sprintf("%s replayed as message %s, webhook-id %s", t.ItemID, t.MessageID, t.WebhookID)
		},
	}
	return acts.Each(ctx, c.Items)
}

// listed is what the index lists now of what filter takes, one page at most.
func (c *dlqReplayCommand) listed(ctx context.Context, api *reach.Client, filter replay.Filter) (page replay.Items, err error) {
	query := queryOf(filter)
	query.Set("queue", c.Queue)
	query.Set("limit", fmt.Sprint(console.PageLimit))
	if (filter == replay.Filter{}) {
		query.Set("limit", "1") // only the count is wanted
	}
	err = api.Call(ctx, http.MethodGet, "/api/v1/dlq?"+query.Encode(), nil, &page)
	return page, err
}
