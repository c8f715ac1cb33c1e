package waiting

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/efferent/efferent/cmd/efferent/acts"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// waitingAct is a command that lets go of what waits.
type waitingAct struct {
	waitingFlags
	console.YesFlag
	Items []string `arg:"" optional:"" name:"item" help:"The items, as list --each names them."`
	All   bool     `help:"All that waits."`
}

type waitingReleaseCommand struct{ waitingAct }

func (c *waitingReleaseCommand) Run(ctx context.Context) error {
	return c.run(ctx, "release", "released", "Send %s now?")
}

type waitingDropCommand struct{ waitingAct }

func (c *waitingDropCommand) Run(ctx context.Context) error {
	return c.run(ctx, "drop", "dropped", "Drop %s for good?")
}

// run does the act that the API calls so; did is the act, done. question is asked
// with how many messages that are.
func (c *waitingAct) run(ctx context.Context, act, did, question string) error {
	some, err := c.some()
	if err != nil {
		return err
	}
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	ask := func(ctx context.Context, some replay.WaitingSome) (replay.Task, error) {
		var started replay.Started
		err := api.Call(ctx, http.MethodPost, "/api/v1/waiting/"+act, some, &started)
		return started.Task, err
	}
	if len(c.Items) > 0 {
		if n := len(acts.Distinct(c.Items)); n > 1 {
			if err := c.Confirm(ctx, func() (string, error) { return fmt.Sprintf(question, console.CountText(n)), nil }); err != nil {
				return err
			}
		}
		return c.each(ctx, did, ask)
	}
	err = c.Confirm(ctx, func() (string, error) {
		counts, err := counted(ctx, api, some.WaitingFilter)
		n := total(counts.Items)
		if err == nil && n == 0 {
			err = errors.New("nothing waits that matches")
		}
		return fmt.Sprintf(question, console.CountText(n)), err
	})
	if err != nil {
		return err
	}
	return c.many(ctx, did, some, ask)
}

// some is what the flags mean; it is refused unless there is exactly one way to
// say it.
func (c *waitingAct) some() (some replay.WaitingSome, err error) {
	if some.WaitingFilter, err = c.filter(); err != nil {
		return some, err
	}
	some.All = c.All
	ways := 0
	for _, way := range []bool{c.All, len(c.Items) > 0, some.WaitingFilter != replay.WaitingFilter{}} {
		if way {
			ways++
		}
	}
	switch {
	case ways == 0:
		return some, console.Misusedf("which messages are meant? Name items, or use --all, or a filter such as --tenant")
	case ways > 1:
		return some, console.Misusedf("items, --all and filters do not go together: use one of them")
	}
	return some, nil
}

func (c *waitingAct) each(ctx context.Context, did string, ask func(context.Context, replay.WaitingSome) (replay.Task, error)) error {
	acts := &acts.Each{Did: did, JSON: c.JSON,
		Ask: func(ctx context.Context, id, cursor string) (replay.Task, error) {
			return ask(ctx, replay.WaitingSome{ItemID: id, Cursor: cursor})
		},
		Line: func(t replay.Task) string { return t.ItemID + " " + did + ", webhook-id " + t.WebhookID },
	}
	return acts.Each(ctx, c.Items)
}

func (c *waitingAct) many(ctx context.Context, did string, some replay.WaitingSome,
	ask func(context.Context, replay.WaitingSome) (replay.Task, error)) error {
	acts := &acts.Many{Did: did, Where: "the waiting room", JSON: c.JSON, Ask: func(ctx context.Context, cursor string) (replay.Task, error) {
		some.Cursor = cursor
		return ask(ctx, some)
	}}
	sum, err := acts.Sum(ctx, replay.Task{Kind: replay.KindFilter, Queue: some.Queue}, func(replay.Task) {})
	return acts.Report(sum, err)
}
