package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/efferent/efferent/cmd/efferent/acts"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

type endpointsReplayCommand struct {
	endpointFlags
	Since   console.PastTime  `required:"" placeholder:"TIME" help:"Since then: 2026-11-24T08:00:00Z, or 2h or 3d ago."`
	Until   *console.PastTime `placeholder:"TIME" help:"Only before then."`
	Missing bool              `help:"Send what the endpoint should have had and was never tried, rather than what failed."`
}

func (c *endpointsReplayCommand) Run(ctx context.Context) error {
	if c.Missing {
		return c.missing(ctx)
	}
	acts := &acts.Many{Did: "replayed", Where: "webhook-failures", JSON: c.JSON,
		Ask: func(ctx context.Context, cursor string) (replay.Task, error) {
			var started replay.Started
			err := c.call(ctx, http.MethodPost, "/replay", replay.EndpointReplay{Since: c.Since.Time, Until: c.until(), Cursor: cursor}, &started)
			return started.Task, err
		}}
	sum, err := acts.Sum(ctx, replay.Task{Kind: replay.KindFilter, Queue: acts.Where, Status: deadletter.Running}, func(replay.Task) {})
	return acts.Report(sum, err)
}

func (c *endpointsReplayCommand) until() time.Time {
	if c.Until == nil {
		return time.Time{}
	}
	return c.Until.Time
}

// missing has the API go on until nothing is left.
func (c *endpointsReplayCommand) missing(ctx context.Context) error {
	var sum endpoints.Missing
	for more := true; more; more = sum.Cursor != "" {
		var page endpoints.Missing
		body := endpoints.MissingReplay{Since: c.Since.Time, Until: c.until(), Cursor: sum.Cursor}
		if err := c.call(ctx, http.MethodPost, "/replay-missing", body, &page); err != nil {
			return fmt.Errorf("%w; %d events were sent before", err, sum.Sent)
		}
		sum = endpoints.Missing{Sent: sum.Sent + page.Sent, Examined: sum.Examined + page.Examined, Skipped: sum.Skipped + page.Skipped,
			Cursor: page.Cursor}
	}
	if c.JSON {
		return console.PrintJSON(sum)
	}
	words := fmt.Sprintf("%d of %d events were missing, and are sent", sum.Sent, sum.Examined)
	if sum.Skipped > 0 {
		words += fmt.Sprintf("; %d more are too large to be kept, so they are not", sum.Skipped)
	}
	return terminal.Stdout().Say(words)
}
