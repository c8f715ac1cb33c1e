package circuits

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/terminal"
)

// circuitsListCommand's filters are pointers, as in filterFlags.
type circuitsListCommand struct {
	reach.APIFlags
	Phase *string `group:"Filters" placeholder:"PHASE" help:"Only those that are closed, open or half-open; all lists all there are."`

	Scope     *string       `group:"Filters" placeholder:"SCOPE" help:"Only those of endpoints (endpoint), or of hosts (host)."`
	Tenant    *string       `group:"Filters" placeholder:"NAME" help:"Only this tenant's."`
	URLPrefix *string       `group:"Filters" name:"url-prefix" placeholder:"URL" help:"Only those of URLs that begin so."`
	Limit     console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
	JSON      bool          `name:"json" help:"Print JSON."`
}

func (c *circuitsListCommand) Run(ctx context.Context) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	api, err := c.Client(ctx)
	if err != nil {
		return err
	}
	list, err := c.pages(ctx, api, query)
	if err != nil {
		return err
	}
	slices.SortFunc(list.Items, worstFirst)
	switch {
	case c.JSON:
		return console.PrintJSON(list)
	case len(list.Items) > 0:
		err = terminal.Table(terminal.Stdout(), circuitColumns(time.Now()), list.Items)
	}
	fmt.Fprintln(os.Stderr, circuitsSummary(list, len(query) > 0, time.Now()))
	return err
}

// query is the filters, as the API's parameters.
func (c *circuitsListCommand) query() (url.Values, error) {
	query := url.Values{}
	for _, text := range []struct {
		flag, name string
		value      *string
	}{
		{"--phase", "phase", c.Phase}, {"--scope", "scope", c.Scope}, {"--tenant", "tenant", c.Tenant},
		{"--url-prefix", "url_prefix", c.URLPrefix},
	} {
		if text.value == nil {
			continue
		}
		if *text.value == "" {
			return nil, console.Misusedf("%s is empty; leave it out if it is not meant", text.flag)
		}
		query.Set(text.name, *text.value)
	}
	return query, nil
}

// pages joins the API's pages. One may be short or empty and yet not the last.
func (c *circuitsListCommand) pages(ctx context.Context, api *reach.Client, filters url.Values) (all replay.Circuits, err error) {
	query := url.Values{}
	for name := range filters {
		query.Set(name, filters.Get(name))
	}
	all.Items = []replay.Circuit{}
	for {
		query.Set("limit", strconv.Itoa(c.Limit.Page(len(all.Items))))
		var page replay.Circuits
		if err := api.Call(ctx, http.MethodGet, "/api/v1/circuits?"+query.Encode(), nil, &page); err != nil {
			return all, err
		}
		all.Items, all.Cursor = append(all.Items, page.Items...), page.Cursor
		if page.Cursor == "" || c.Limit.Reached(len(all.Items)) {
			return all, nil
		}
		query.Set("cursor", page.Cursor)
	}
}

// worstFirst orders circuits: those that are not closed first, and what most waits
// for before the others.
func worstFirst(a, b replay.Circuit) int {
	rank := func(c replay.Circuit) int {
		if c.Phase == replay.PhaseClosed {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(a.URL, b.URL), cmp.Compare(a.Tenant, b.Tenant),
		cmp.Compare(a.ID, b.ID))
}

// circuitsSummary is the line below the table.
func circuitsSummary(list replay.Circuits, filtered bool, now time.Time) string {
	open, hidden := 0, ""
	for _, c := range list.Items {
		if c.Phase == replay.PhaseClosed {
			continue
		}
		open++
		if wait := c.Until.Sub(now); wait > 0 && wait <= retry.InQueue {
			hidden = "; not counted is what waits in its queue for a probe soon"
		}
	}
	switch n := len(list.Items); {
	case list.Cursor != "":
		return console.Thousands(n) + " listed; more with --limit"
	case n == 0 && filtered:
		return "no circuit matches"
	case n == 0:
		return "All circuits are closed, and nothing waits for one."
	case n == 1:
		return fmt.Sprintf("1 circuit, %d open%s", open, hidden)
	default:
		return fmt.Sprintf("%s circuits, %s open%s", console.Thousands(n), console.Thousands(open), hidden)
	}
}

// circuitColumns fit 80 characters, but for a long URL and the reason: what is
// narrow stands before them.
func circuitColumns(now time.Time) []terminal.Column[replay.Circuit] {
	return []terminal.Column[replay.Circuit]{
		{Title: "PHASE", Cell: func(c replay.Circuit) string { return c.Phase }},
		{Title: "SINCE", Cell: func(c replay.Circuit) string { return sinceText(c, now) }},
		{Title: "PROBE", Cell: func(c replay.Circuit) string { return probeText(c, now) }},
		{Title: "WAITING", Cell: countedText},
		{Title: "TENANT", Cell: func(c replay.Circuit) string { return c.Tenant }, Optional: true},
		{Title: "ENDPOINT", Cell: endpointText},
		{Title: "WHY", Cell: whyText},
	}
}

// sinceText is for how long a circuit has been open, or closed again.
func sinceText(c replay.Circuit, now time.Time) string {
	at := c.Opened
	if c.Phase == replay.PhaseClosed {
		at = c.ClosedAt
	}
	if at.IsZero() {
		return ""
	}
	return console.SpanText(now.Sub(at))
}

// probeText says when the next probe may be made.
func probeText(c replay.Circuit, now time.Time) string {
	switch {
	case c.Phase == replay.PhaseClosed:
		return ""
	case c.Forever:
		return "never"
	case c.Phase == replay.PhaseHalfOpen:
		return "under way"
	}
	return console.UntilText(c.Until.Sub(now))
}

// countedText is how many messages wait for a circuit.
func countedText(c replay.Circuit) string {
	if c.WaitingMore {
		return console.Thousands(c.Waiting) + "+"
	}
	return console.Thousands(c.Waiting)
}

func waitingText(c replay.Circuit) string {
	switch {
	case c.WaitingMore:
		return "over " + console.Thousands(c.Waiting) + " messages are"
	case c.Waiting == 1:
		return "1 message is"
	}
	return console.CountText(c.Waiting) + " are"
}

// endpointText is the URL; a host's looks like that of an endpoint without a path.
func endpointText(c replay.Circuit) string {
	if c.Scope == string(circuit.Host) {
		return c.URL + " (host)"
	}
	return c.URL
}

func whyText(c replay.Circuit) string {
	if c.Failures > 0 {
		return fmt.Sprintf("%d failed in a row", c.Failures)
	}
	return c.Why
}

// fullProbeText says when the next probe may be made, and how many have failed.
func fullProbeText(c replay.Circuit, now time.Time) string {
	text := probeText(c, now)
	switch {
	case c.Phase == replay.PhaseClosed:
		return ""
	case c.Gone:
		return "never: it stays open until it is closed by hand, and nothing waits for it"
	case c.Forever:
		return "never: it stays open until it is closed by hand"
	case c.Phase == replay.PhaseOpen && now.Before(c.Until):
		text = "in " + text
	}
	if c.Opens > 1 {
		text += fmt.Sprintf("; failed so far: %d", c.Opens-1)
	}
	return text
}

// printCircuit prints all that is known of one.
func printCircuit(c replay.Circuit) error {
	now := time.Now()
	return terminal.Stdout().Fields([][2]string{
		{"Circuit", c.ID}, {"Endpoint", endpointText(c)}, {"Tenant", c.Tenant}, {"Phase", c.Phase}, {"Why", whyText(c)},
		{"Opened", console.TimeText(c.Opened)}, {"Closed", console.TimeText(c.ClosedAt)}, {"Probe", fullProbeText(c, now)},
		{"Waiting", countedText(c) + " in the waiting room"},
	})
}
