package acts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// Each acts on items one after the other: a queue is searched by one
// request at a time.
type Each struct {
	// Did is the act, done; queue is where the items are.
	Did, Queue string
	JSON       bool
	// Ask makes a request that goes on where one before left off, which has given
	// the cursor; empty at first.
	Ask func(ctx context.Context, id, cursor string) (replay.Task, error)
	// Line tells a person what became of an item.
	Line func(replay.Task) string
	// tasks are what was done, a failure among them.
	tasks []replay.Task
}

// Each acts on every item, and goes on after one that fails. Its error says how
// many were done.
func (a *Each) Each(ctx context.Context, ids []string) error {
	ids = Distinct(ids)
	p := terminal.NewProgress(a.Did)
	var failed error
	for i, id := range ids {
		if len(ids) > 1 {
			p.Set(int64(i), int64(len(ids)))
		}
		task, err := a.one(ctx, id)
		if errors.Is(err, console.ErrInterrupted) {
			failed = fmt.Errorf("%w: %d of %d items %s; what the API had begun it completes", console.ErrInterrupted, a.done(), len(ids), a.Did)
			break
		}
		if err != nil {
			task = replay.Task{Kind: replay.KindItem, Queue: a.Queue, ItemID: id, Status: deadletter.Failed, Failed: 1, Reason: err.Error()}
		}
		a.tasks = append(a.tasks, task)
		p.Aside()
		a.tell(task)
	}
	p.End()
	if n := len(a.tasks) - a.done(); failed == nil && n > 0 {
		failed = fmt.Errorf("%d of %d items not %s", n, len(ids), a.Did)
	}
	if a.JSON {
		return errors.Join(console.PrintJSON(a.tasks), failed)
	}
	return failed
}

// one acts on one item. The API may need several requests to find it among many.
func (a *Each) one(ctx context.Context, id string) (task replay.Task, err error) {
	for cursor := ""; ; cursor = task.Cursor {
		task, err = a.Ask(ctx, id, cursor)
		switch {
		case err != nil || task.Status == deadletter.Completed:
			return task, err
		case task.Status != deadletter.Running || task.Cursor == "":
			return task, fmt.Errorf("the API left it %s; try again", task.Status)
		}
	}
}

func (a *Each) tell(task replay.Task) {
	switch {
	case task.Status == deadletter.Failed:
		fmt.Fprintln(os.Stderr, terminal.Line(fmt.Sprintf("%s not %s: %s", task.ItemID, a.Did, task.Reason)))
	case !a.JSON:
		fmt.Println(terminal.Line(a.Line(task)))
	}
}

// done is how many items were acted on.
func (a *Each) done() (n int) {
	for _, t := range a.tasks {
		if t.Status == deadletter.Completed {
			n++
		}
	}
	return n
}

// Distinct drops what was there before.
func Distinct(ids []string) (all []string) {
	for _, id := range ids {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}
