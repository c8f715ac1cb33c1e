package dlq

import (
	"context"
	"fmt"
	"net/http"

	"github.com/efferent/efferent/cmd/efferent/acts"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// matching replays what the filter takes. Each request goes through the queue
// for as long as one may, and the next goes on where it was.
func (c *dlqReplayCommand) matching(ctx context.Context, api *reach.Client, filter replay.Filter) error {
	total := 0
	question := func() (string, error) {
		page, err := c.listed(ctx, api, filter)
		total = page.ApproximateTotal
		return c.questionOf(page), err
	}
	if err := c.Confirm(ctx, question); err != nil {
		return err
	}
	p := terminal.NewProgress("looked at")
	if p.On() && total == 0 {
		if page, err := c.listed(ctx, api, replay.Filter{}); err == nil { // else there is no bar
			total = page.ApproximateTotal
		}
	}
	acts := &acts.Many{Did: "replayed", Where: c.Queue, JSON: c.JSON, Ask: func(ctx context.Context, cursor string) (replay.Task, error) {
		var started replay.Started
		err := api.Call(ctx, http.MethodPost, c.path("replay"), replay.Some{Filter: filter, Cursor: cursor}, &started)
		return started.Task, err
	}}
	sum, err := acts.Sum(ctx, replay.Task{Kind: replay.KindFilter, Queue: c.Queue}, func(sum replay.Task) {
		p.Say(console.Thousands(sum.Moved) + " replayed; looked at")
		p.Set(int64(sum.Examined), int64(total))
	})
	p.End()
	return acts.Report(sum, err)
}

// questionOf says how many messages a filter concerns.
func (c *dlqReplayCommand) questionOf(page replay.Items) string {
	switch n := len(page.Items); {
	case page.Cursor != "":
		return fmt.Sprintf("Replay those messages of %s that match, %d or more, to their queue?", c.Queue, n)
	case n == 0:
		return fmt.Sprintf("None is listed that matches. Look for them in %s itself, about %s messages, and replay them to their queue?",
			c.Queue, console.Thousands(page.ApproximateTotal))
	default:
		return fmt.Sprintf("Replay the %d messages of %s that match to their queue?", n, c.Queue)
	}
}
