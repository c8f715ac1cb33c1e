package waiting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

type waitingListCommand struct {
	waitingFlags
	Each  bool          `help:"List the messages themselves, those that are due first first."`
	Limit console.Limit `default:"50" placeholder:"N" help:"With --each: how many to list (${default}), or all."`
}

func (c *waitingListCommand) Run(ctx context.Context) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	api, err := c.Client(ctx)
	switch {
	case err != nil:
		return err
	case c.Each:
		return c.each(ctx, api, filter)
	}
	counts, err := counted(ctx, api, filter)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return console.PrintJSON(counts)
	case len(counts.Items) > 0:
		err = terminal.Table(terminal.Stdout(), countColumns(time.Now()), counts.Items)
	}
	fmt.Fprintln(os.Stderr, waitSummary(total(counts.Items), filter))
	return err
}

func total(counts []replay.WaitingCount) (n int) {
	for _, c := range counts {
		n += c.Count
	}
	return n
}

// waitSummary is the line below a table of all that waits.
func waitSummary(n int, filter replay.WaitingFilter) string {
	switch {
	case n == 0 && filter == replay.WaitingFilter{}:
		return "The waiting room is empty."
	case n == 0:
		return "nothing matches of what waits"
	}
	return console.Thousands(n) + " in the waiting room"
}

// counted adds up the API's counts: one request may not come to the end.
func counted(ctx context.Context, api *reach.Client, filter replay.WaitingFilter) (all replay.WaitingCounts, err error) {
	query := waitingQuery(filter)
	at := map[replay.WaitingCount]int{} // by what a count is of
	for !all.Complete {
		var part replay.WaitingCounts
		if err := api.Call(ctx, http.MethodGet, "/api/v1/waiting/counts?"+query.Encode(), nil, &part); err != nil {
			return all, err
		}
		for _, c := range part.Items {
			kind := replay.WaitingCount{Queue: c.Queue, Tenant: c.Tenant, URL: c.URL, Channel: c.Channel, Reason: c.Reason}
			i, ok := at[kind]
			if !ok {
				i, all.Items = len(all.Items), append(all.Items, kind)
				at[kind] = i
			}
			all.Items[i].Add(c)
		}
		if part.Cursor == "" && !part.Complete {
			return all, errors.New("the API has not counted to the end; try again")
		}
		all.Complete = part.Complete
		query.Set("cursor", part.Cursor)
	}
	slices.SortFunc(all.Items, replay.MostFirst)
	return all, nil
}

// each lists the messages themselves.
func (c *waitingListCommand) each(ctx context.Context, api *reach.Client, filter replay.WaitingFilter) error {
	list, err := c.pages(ctx, api, filter)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list.Items, dueFirst)
	if c.JSON {
		return console.PrintJSON(list)
	}
	if len(list.Items) > 0 {
		err = terminal.Table(terminal.Stdout(), waitingColumns, list.Items)
	}
	summary := waitSummary(len(list.Items), filter)
	if list.Cursor != "" {
		summary = console.Thousands(len(list.Items)) + " listed; more with --limit"
	}
	fmt.Fprintln(os.Stderr, summary)
	return err
}

// dueFirst orders what waits: by when it is due, and by its age after that what
// waits for circuits.
func dueFirst(a, b replay.WaitingItem) int {
	if a.Due.IsZero() != b.Due.IsZero() {
		return b.Due.Compare(a.Due)
	}
	return cmp.Or(a.Due.Compare(b.Due), a.Since.Compare(b.Since))
}

// pages joins the API's pages. One may be short or empty and yet not the last.
func (c *waitingListCommand) pages(ctx context.Context, api *reach.Client, filter replay.WaitingFilter) (all replay.WaitingItems,
	err error) {
	query := waitingQuery(filter)
	all.Items = []replay.WaitingItem{}
	for {
		query.Set("limit", strconv.Itoa(c.Limit.Page(len(all.Items))))
		var page replay.WaitingItems
		if err := api.Call(ctx, http.MethodGet, "/api/v1/waiting?"+query.Encode(), nil, &page); err != nil {
			return all, err
		}
		all.Items, all.Cursor = append(all.Items, page.Items...), page.Cursor
		if page.Cursor == "" || c.Limit.Reached(len(all.Items)) {
			return all, nil
		}
		query.Set("cursor", page.Cursor)
	}
}
