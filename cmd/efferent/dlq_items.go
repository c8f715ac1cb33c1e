package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// itemActs acts on items one after the other: a queue is searched by one
// request at a time.
type itemActs struct {
	// did is the act, done; queue is where the items are.
	did, queue string
	json       bool
	// ask makes a request that goes on where one before left off, which has given
	// the cursor; empty at first.
	ask func(ctx context.Context, id, cursor string) (replay.Task, error)
	// line tells a person what became of an item.
	line func(replay.Task) string
	// tasks are what was done, a failure among them.
	tasks []replay.Task
}

// each acts on every item, and goes on after one that fails. Its error says how
// many were done.
func (a *itemActs) each(ctx context.Context, ids []string) error {
	ids = distinct(ids)
	p := terminal.NewProgress(a.did)
	var failed error
	for i, id := range ids {
		if len(ids) > 1 {
			p.Set(int64(i), int64(len(ids)))
		}
		task, err := a.one(ctx, id)
		if errors.Is(err, errInterrupted) {
			failed = fmt.Errorf("%w: %d of %d items %s; what the API had begun it completes", errInterrupted, a.done(), len(ids), a.did)
			break
		}
		if err != nil {
			task = replay.Task{Kind: replay.KindItem, Queue: a.queue, ItemID: id, Status: deadletter.Failed, Failed: 1, Reason: err.Error()}
		}
		a.tasks = append(a.tasks, task)
		p.Aside()
		a.tell(task)
	}
	p.End()
	if n := len(a.tasks) - a.done(); failed == nil && n > 0 {
		failed = fmt.Errorf("%d of %d items not %s", n, len(ids), a.did)
	}
	if a.json {
		return errors.Join(printJSON(a.tasks), failed)
	}
	return failed
}

// one acts on one item. The API may need several requests to find it among many.
func (a *itemActs) one(ctx context.Context, id string) (task replay.Task, err error) {
	for cursor := ""; ; cursor = task.Cursor {
		task, err = a.ask(ctx, id, cursor)
		switch {
		case err != nil || task.Status == deadletter.Completed:
			return task, err
		case task.Status != deadletter.Running || task.Cursor == "":
			return task, fmt.Errorf("the API left it %s; try again", task.Status)
		}
	}
}

// asker asks for an act on an item of the queue.
func (f *dlqFlags) asker(api *apiClient, method string, path func(id string) string) func(context.Context, string, string) (replay.Task,
	error) {
	return func(ctx context.Context, id, cursor string) (replay.Task, error) {
		query := ""
		if cursor != "" {
			query = "?cursor=" + url.QueryEscape(cursor)
		}
		// A 204 leaves the task as it is.
		started := replay.Started{Task: replay.Task{Kind: replay.KindItem, Queue: f.Queue, ItemID: id, Status: deadletter.Completed}}
		err := api.call(ctx, method, path(id)+query, nil, &started)
		return started.Task, err
	}
}

func (a *itemActs) tell(task replay.Task) {
	switch {
	case task.Status == deadletter.Failed:
		fmt.Fprintln(os.Stderr, terminal.Line(fmt.Sprintf("%s not %s: %s", task.ItemID, a.did, task.Reason)))
	case !a.json:
		fmt.Println(terminal.Line(a.line(task)))
	}
}

// done is how many items were acted on.
func (a *itemActs) done() (n int) {
	for _, t := range a.tasks {
		if t.Status == deadletter.Completed {
			n++
		}
	}
	return n
}

// distinct drops what was there before.
func distinct(ids []string) (all []string) {
	for _, id := range ids {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

type dlqRmCommand struct {
	dlqFlags
	yesFlag
	Items []string `arg:"" name:"item" help:"The items, as list names them."`
}

func (c *dlqRmCommand) Run(ctx context.Context) error {
	api, err := c.client(ctx)
	if err != nil {
		return err
	}
	if n := len(distinct(c.Items)); n > 1 {
		question := func() (string, error) { return fmt.Sprintf("Discard %d messages of %s for good?", n, c.Queue), nil }
		if err := c.confirm(ctx, question); err != nil {
			return err
		}
	}
	acts := &itemActs{did: "discarded", queue: c.Queue, json: c.JSON,
		ask:  c.asker(api, http.MethodDelete, func(id string) string { return c.path(id) }),
		line: func(t replay.Task) string { return t.ItemID + " discarded" },
	}
	return acts.each(ctx, c.Items)
}
