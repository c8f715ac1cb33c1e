package dlq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

const (
	// moveTick is how often a move task is looked at.
	moveTick = 500 * time.Millisecond
	// blindTicks is how many times in a row that may fail.
	blindTicks = 10
)

// all has SQS move everything back.
func (c *dlqReplayCommand) all(ctx context.Context, api *reach.Client) error {
	question := func() (string, error) {
		page, err := c.listed(ctx, api, replay.Filter{})
		return fmt.Sprintf("Replay about %s messages of %s to their queue?", console.Thousands(page.ApproximateTotal), c.Queue), err
	}
	if err := c.Confirm(ctx, question); err != nil {
		return err
	}
	var started replay.Started
	err := api.Call(ctx, http.MethodPost, c.path("replay"), replay.Some{Rate: int(c.Rate)}, &started)
	if errors.Is(err, console.ErrInterrupted) {
		return fmt.Errorf("%w: whether the move task has begun, %q shows", err, c.hint("tasks"))
	}
	task := started.Task
	if err == nil && !c.NoWait {
		task, err = c.await(ctx, api, task)
	}
	if task.Status == "" { // nothing has begun
		return err
	}
	return c.ended(task, err)
}

// await follows a move task until it has ended. With an error the task it
// returns is what was last seen of it.
func (c *dlqReplayCommand) await(ctx context.Context, api *reach.Client, task replay.Task) (replay.Task, error) {
	p := terminal.NewProgress("replayed")
	defer p.End()
	tick := time.NewTicker(moveTick)
	defer tick.Stop()
	for blind := 0; goesOn(task); {
		p.Set(task.Moved, task.ToMove)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return task, c.left(task, console.ErrInterrupted)
		}
		latest, err := c.latest(ctx, api, task)
		if err == nil {
			task, blind = latest, 0
			continue
		}
		if blind++; blind == blindTicks || errors.Is(err, console.ErrInterrupted) {
			return task, c.left(task, err)
		}
	}
	return task, nil
}

func goesOn(t replay.Task) bool {
	return t.Status == deadletter.Running || t.Status == deadletter.Cancelling
}

// latest is what has become of a task.
func (c *dlqReplayCommand) latest(ctx context.Context, api *reach.Client, task replay.Task) (replay.Task, error) {
	var all replay.Tasks
	if err := api.Call(ctx, http.MethodGet, c.path("tasks"), nil, &all); err != nil {
		return task, err
	}
	for _, t := range all.Tasks {
		if t.ID == task.ID || task.ID == "" { // the API may not know it yet when it has just begun
			return t, nil
		}
	}
	return task, errors.New("the API does not list the move task")
}

// left explains that a task goes on when nobody waits for it any more.
func (c *dlqReplayCommand) left(task replay.Task, err error) error {
	cancel := c.hint("tasks")
	if task.ID != "" {
		cancel = c.hint("tasks --cancel " + task.ID)
	}
	return fmt.Errorf("%w: the move task goes on; %q shows it, and %q cancels it", err, c.hint("tasks"), cancel)
}

// ended tells what became of a move task.
func (c *dlqReplayCommand) ended(task replay.Task, err error) error {
	if c.JSON {
		if printed := console.PrintJSON(task); printed != nil {
			return printed
		}
	}
	switch {
	case err != nil:
		return err
	case task.Status == deadletter.Failed || task.Status == deadletter.Cancelled:
		return fmt.Errorf("the move task is %s; %s of about %s replayed%s", task.Status, console.Thousands(task.Moved),
			console.Thousands(task.ToMove),
			because(task.Reason))
	case c.JSON:
	case goesOn(task):
		return c.onItsWay(fmt.Sprintf("move task %s has begun: %son their way back to their queue",
			cmp.Or(task.ID, "of "+c.Queue), aboutText(task.ToMove)), "how far it is")
	case task.Moved == 0:
		fmt.Printf("0 replayed from %s: nothing was there to move\n", c.Queue)
	default:
		return c.onItsWay(fmt.Sprintf("%s replayed from %s by move task %s, and on their way", console.Thousands(task.Moved), c.Queue,
			cmp.Or(task.ID, "(unnamed)")), "the task")
	}
	return nil
}

// aboutText is how many messages a task that runs is of, where SQS has said so.
func aboutText(n int64) string {
	if n == 0 {
		return "all are "
	}
	return "about " + console.CountOf(int(n), "message") + " are "
}

// onItsWay tells what was sent again, and how to see what becomes of it.
func (c *dlqReplayCommand) onItsWay(what, tasks string) error {
	return errors.Join(terminal.Stdout().Say(what), terminal.Stderr().Say(fmt.Sprintf("%q shows %s, %q what has failed again",
		c.hint("tasks"), tasks, c.hint("list"))))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

type dlqTasksCommand struct {
	dlqFlags
	Cancel string `placeholder:"ID" help:"Cancel this task. What it has moved by then stays moved."`
}

func (c *dlqTasksCommand) Run(ctx context.Context) error {
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	if c.Cancel != "" {
		return c.cancel(ctx, api)
	}
	var all replay.Tasks
	if err := api.Call(ctx, http.MethodGet, c.path("tasks"), nil, &all); err != nil {
		return err
	}
	switch {
	case c.JSON:
		return console.PrintJSON(all)
	case len(all.Tasks) == 0:
		fmt.Fprintln(os.Stderr, "no move task of", c.Queue, "is known")
		return nil
	}
	return terminal.Table(terminal.Stdout(), taskColumns, all.Tasks)
}

func (c *dlqTasksCommand) cancel(ctx context.Context, api *reach.Client) error {
	var started replay.Started
	if err := api.Call(ctx, http.MethodDelete, c.path("tasks", c.Cancel), nil, &started); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(started.Task)
	}
	fmt.Printf("%s %s; %s of about %s moved\n", started.Task.ID, started.Task.Status, console.Thousands(started.Task.Moved),
		console.Thousands(started.Task.ToMove))
	return nil
}
