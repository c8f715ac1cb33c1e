package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/terminal"
)

type endpointsListCommand struct {
	tenantFlags
	State string `placeholder:"STATE" help:"Only those that are enabled, paused or disabled."`
	Limit limit  `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *endpointsListCommand) Run(ctx context.Context) error {
	query := url.Values{}
	if c.State != "" {
		query.Set("state", c.State)
	}
	all, err := paged(query, c.Limit, func(query string) ([]endpoint.Endpoint, string, error) {
		var page endpoints.Endpoints
		err := c.ask(ctx, http.MethodGet, "/endpoints?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(endpoints.Endpoints{Items: all.items, Cursor: all.cursor})
	}
	return all.show("endpoint", endpointColumns)
}

// list is what was read of one.
type list[T any] struct {
	items  []T
	cursor string // asks for the rest; empty where there is none
}

// paged reads a list, page by page, as far as the limit goes.
func paged[T any](query url.Values, most limit, read func(query string) (items []T, cursor string, err error)) (list[T], error) {
	all := list[T]{items: []T{}}
	for more := true; more; more = all.cursor != "" && !most.reached(len(all.items)) {
		query.Set("limit", fmt.Sprint(most.page(len(all.items))))
		query.Set("cursor", all.cursor)
		items, cursor, err := read(query.Encode())
		if err != nil {
			return all, err
		}
		all.items, all.cursor = append(all.items, items...), cursor
	}
	return all, nil
}

// show prints it as a table, and below that how many there are.
func (l list[T]) show(what string, columns []terminal.Column[T]) (err error) {
	if len(l.items) > 0 {
		err = terminal.Table(terminal.Stdout(), columns, l.items)
	}
	fmt.Fprintln(os.Stderr, listedText(len(l.items), what, l.cursor != ""))
	return err
}

// listedText is the line below a list.
func listedText(n int, what string, more bool) string {
	text := fmt.Sprintf("%s %ss", thousands(n), what)
	if n == 1 {
		text = "1 " + what
	}
	if more {
		text += "; more with --limit"
	}
	return text
}

var endpointColumns = []terminal.Column[endpoint.Endpoint]{
	{Title: "ENDPOINT", Cell: func(e endpoint.Endpoint) string { return e.ID }},
	{Title: "STATE", Cell: func(e endpoint.Endpoint) string { return string(e.State) }},
	{Title: "URL", Cell: func(e endpoint.Endpoint) string { return e.URL }},
	{Title: "TYPES", Cell: func(e endpoint.Endpoint) string { return strings.Join(e.EventTypes, " ") }},
	{Title: "RATE", Cell: rateText, Optional: true},
	{Title: "CREATED", Cell: func(e endpoint.Endpoint) string { return timeText(e.Created) }},
	{Title: "WHY", Cell: func(e endpoint.Endpoint) string { return e.Why }, Optional: true},
	{Title: "DESCRIPTION", Cell: func(e endpoint.Endpoint) string { return e.Description }, Optional: true},
}

func rateText(e endpoint.Endpoint) string {
	if e.RatePerSecond == 0 {
		return ""
	}
	return fmt.Sprintf("%g/s", e.RatePerSecond)
}

// printEndpoint prints all that is known of one.
func printEndpoint(e endpoints.Endpoint) error {
	state := string(e.State)
	if e.Why != "" {
		state += " since " + timeText(e.Since) + ": " + e.Why
	}
	signature := ""
	if e.Signature != nil {
		signature = e.Signature.Scheme
	}
	return terminal.Stdout().Fields([][2]string{
		{"Endpoint", e.ID}, {"Tenant", e.Tenant}, {"URL", e.URL}, {"Types", strings.Join(e.EventTypes, " ")}, {"Filter",
			string(e.Filter)},
		{"State", state}, {"Secret", e.Secret}, {"Key", e.ReceiverKey}, {"Signature", signature}, {"Retry", e.Retry}, {"Timeout",
			e.Timeout},
		{"Rate", rateText(e.Endpoint)}, {"Headers", pairsText(e.Headers, ": ")}, {"Auth", pairsText(e.Auth, ": from ")},
		{"Labels", pairsText(e.Labels, "=")}, {"Description", e.Description}, {"Created", timeText(e.Created)},
		{"Version", fmt.Sprint(e.Version)},
	})
}

func pairsText(pairs map[string]string, between string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		all = append(all, name+between+pairs[name])
	}
	return strings.Join(all, ", ")
}

type endpointsDeliveriesCommand struct {
	endpointFlags
	State string    `group:"Filters" placeholder:"STATE" help:"${delivery_state}"`
	Since *pastTime `group:"Filters" placeholder:"TIME" help:"Only attempts since then: 2026-11-24T08:00:00Z, or 2h or 3d ago."`
	Until *pastTime `group:"Filters" placeholder:"TIME" help:"Only attempts before then."`
	Limit limit     `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *endpointsDeliveriesCommand) Run(ctx context.Context) error {
	query := url.Values{}
	if c.State != "" {
		query.Set("state", c.State)
	}
	for name, at := range map[string]*pastTime{"since": c.Since, "until": c.Until} {
		if at != nil {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	all, err := paged(query, c.Limit, func(query string) ([]attempt.Record, string, error) {
		var page endpoints.Deliveries
		err := c.call(ctx, http.MethodGet, "/deliveries?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(endpoints.Deliveries{Items: all.items, Cursor: all.cursor})
	}
	return all.show("attempt", deliveryColumns)
}

// deliveryColumns show attempts at one endpoint.
var deliveryColumns = []terminal.Column[attempt.Record]{
	{Title: "AT", Cell: func(r attempt.Record) string { return timeText(r.At) }},
	{Title: "WEBHOOK", Cell: func(r attempt.Record) string { return r.WebhookID }},
	{Title: "EVENT", Cell: func(r attempt.Record) string { return r.EventType }},
	{Title: "ATTEMPT", Cell: func(r attempt.Record) string { return fmt.Sprint(r.Attempt) }},
	{Title: "STATUS", Cell: func(r attempt.Record) string { return statusText(r.Status) }},
	{Title: "VERDICT", Cell: verdictText},
	{Title: "URL", Cell: func(r attempt.Record) string { return r.URL }},
	{Title: "REASON", Cell: func(r attempt.Record) string { return r.Reason }, Optional: true},
}
