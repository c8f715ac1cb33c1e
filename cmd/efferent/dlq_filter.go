package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// matching replays what the filter takes. Each request goes through the queue
// for as long as one may, and the next goes on where it was.
func (c *dlqReplayCommand) matching(ctx context.Context, api *apiClient, filter replay.Filter) error {
	total := 0
	question := func() (string, error) {
		page, err := c.listed(ctx, api, filter)
		total = page.ApproximateTotal
		return c.questionOf(page), err
	}
	if err := c.confirm(ctx, question); err != nil {
		return err
	}
	p := newProgress("looked at")
	if p.on && total == 0 {
		if page, err := c.listed(ctx, api, replay.Filter{}); err == nil { // else there is no bar
			total = page.ApproximateTotal
		}
	}
	sum, err := c.sum(ctx, api, filter, func(sum replay.Task) {
		p.say(thousands(sum.Moved) + " replayed; looked at")
		p.set(int64(sum.Examined), int64(total))
	})
	p.end()
	return c.report(sum, err)
}

// questionOf says how many messages a filter concerns.
func (c *dlqReplayCommand) questionOf(page replay.Items) string {
	switch n := len(page.Items); {
	case page.Cursor != "":
		return fmt.Sprintf("Replay those messages of %s that match, %d or more, to their queue?", c.Queue, n)
	case n == 0:
		return fmt.Sprintf("None is listed that matches. Look for them in %s itself, about %s messages, and replay them to their queue?",
			c.Queue, thousands(page.ApproximateTotal))
	default:
		return fmt.Sprintf("Replay the %d messages of %s that match to their queue?", n, c.Queue)
	}
}

// sum adds up the requests of one replay, and shows how far they have come.
func (c *dlqReplayCommand) sum(ctx context.Context, api *apiClient, filter replay.Filter, show func(replay.Task)) (replay.Task, error) {
	sum := replay.Task{Kind: replay.KindFilter, Queue: c.Queue, Status: deadletter.Running}
	for some := (replay.Some{Filter: filter}); ; {
		show(sum)
		var started replay.Started
		if err := api.call(ctx, http.MethodPost, c.path("replay"), some, &started); err != nil {
			sum.Status, sum.Cursor = deadletter.Failed, ""
			if errors.Is(err, errInterrupted) {
				sum.Status = deadletter.Cancelled
			}
			sum.Reason = err.Error()
			return sum, err
		}
		add(&sum, started.Task)
		if sum.Status != deadletter.Running || sum.Cursor == "" {
			return sum, nil
		}
		some.Cursor = sum.Cursor
	}
}

// add takes in what the next request of a replay did.
func add(sum *replay.Task, next replay.Task) {
	sum.Moved += next.Moved
	sum.Failed += next.Failed
	sum.Examined += next.Examined
	sum.Status, sum.Cursor = next.Status, next.Cursor
	sum.Reason = cmp.Or(next.Reason, sum.Reason)
	if sum.StartedAt.IsZero() {
		sum.StartedAt = next.StartedAt
	}
}

// report tells what became of a replay by a filter.
func (c *dlqReplayCommand) report(sum replay.Task, err error) error {
	if c.JSON {
		if printed := printJSON(sum); printed != nil {
			return printed
		}
	} else if err == nil {
		fmt.Printf("%s replayed of %s looked at in %s\n", thousands(sum.Moved), thousands(sum.Examined), c.Queue)
	}
	switch {
	case errors.Is(err, errInterrupted):
		return fmt.Errorf("%w: %s replayed before; the request under way the API completes, and what it has not come to stays in %s",
			err, thousands(sum.Moved), c.Queue)
	case err != nil:
		return fmt.Errorf("%w; %s replayed before", err, thousands(sum.Moved))
	case sum.Failed > 0:
		return fmt.Errorf("%s not replayed, and still in %s: %s", thousands(sum.Failed), c.Queue, sum.Reason)
	case sum.Status != deadletter.Completed:
		return fmt.Errorf("the replay has not come to its end (%s): %s", sum.Status, cmp.Or(sum.Reason, "try again"))
	case sum.Reason != "":
		fmt.Fprintln(os.Stderr, sum.Reason)
	}
	return nil
}
