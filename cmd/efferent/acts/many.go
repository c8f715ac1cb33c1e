package acts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// Many is an act on as many as a filter takes, for which the API may need
// several requests.
type Many struct {
	// Did is the act, done; where is what they are in.
	Did, Where string
	JSON       bool
	// Ask makes a request that goes on where one before left off, which has given
	// the cursor; empty at first.
	Ask func(ctx context.Context, cursor string) (replay.Task, error)
}

// Sum adds up the requests of one act to sum, and shows how far they have come.
func (m *Many) Sum(ctx context.Context, sum replay.Task, show func(replay.Task)) (replay.Task, error) {
	for sum.Status = deadletter.Running; ; {
		show(sum)
		task, err := m.Ask(ctx, sum.Cursor)
		if err != nil {
			sum.Status, sum.Cursor = deadletter.Failed, ""
			if errors.Is(err, console.ErrInterrupted) {
				sum.Status = deadletter.Cancelled
			}
			sum.Reason = err.Error()
			return sum, err
		}
		add(&sum, task)
		if sum.Status != deadletter.Running || sum.Cursor == "" {
			return sum, nil
		}
	}
}

// add takes in what the next request of an act did.
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

// Report tells what became of an act.
func (m *Many) Report(sum replay.Task, err error) error {
	did := console.Thousands(sum.Moved) + " " + m.Did
	if m.JSON {
		if printed := console.PrintJSON(sum); printed != nil {
			return printed
		}
	} else if err == nil {
		fmt.Printf("%s of %s looked at in %s\n", did, console.Thousands(sum.Examined), m.Where)
	}
	switch {
	case errors.Is(err, console.ErrInterrupted):
		return fmt.Errorf("%w: %s before; the request under way the API completes, and what it has not come to stays in %s", err, did, m.Where)
	case err != nil:
		return fmt.Errorf("%w; %s before", err, did)
	case sum.Failed > 0:
		return fmt.Errorf("%s not %s, and still in %s: %s", console.Thousands(sum.Failed), m.Did, m.Where, sum.Reason)
	case sum.Status != deadletter.Completed:
		return fmt.Errorf("this has not come to its end (%s): %s", sum.Status, cmp.Or(sum.Reason, "try again"))
	case sum.Reason != "":
		fmt.Fprintln(os.Stderr, terminal.Line(sum.Reason))
	}
	return nil
}
