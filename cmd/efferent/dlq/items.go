package dlq

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/efferent/efferent/cmd/efferent/acts"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// asker asks for an act on an item of the queue.
func (f *dlqFlags) asker(api *reach.Client, method string, path func(id string) string) func(context.Context, string, string) (replay.Task,
	error) {
	return func(ctx context.Context, id, cursor string) (replay.Task, error) {
		query := ""
		if cursor != "" {
			query = "?cursor=" + url.QueryEscape(cursor)
		}
		// A 204 leaves the task as it is.
		started := replay.Started{Task: replay.Task{Kind: replay.KindItem, Queue: f.Queue, ItemID: id, Status: deadletter.Completed}}
		err := api.Call(ctx, method, path(id)+query, nil, &started)
		return started.Task, err
	}
}

type dlqRmCommand struct {
	dlqFlags
	console.YesFlag
	Items []string `arg:"" name:"item" help:"The items, as list names them."`
}

func (c *dlqRmCommand) Run(ctx context.Context) error {
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if n := len(acts.Distinct(c.Items)); n > 1 {
		question := func() (string, error) { return fmt.Sprintf("Discard %d messages of %s for good?", n, c.Queue), nil }
		if err := c.Confirm(ctx, question); err != nil {
			return err
		}
	}
	acts := &acts.Each{Did: "discarded", Queue: c.Queue, JSON: c.JSON,
		Ask:  c.asker(api, http.MethodDelete, func(id string) string { return c.path(id) }),
		Line: func(t replay.Task) string { return t.ItemID + " discarded" },
	}
	return acts.Each(ctx, c.Items)
}
