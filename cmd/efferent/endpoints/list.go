package endpoints

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/deliveries"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/terminal"
)

type endpointsListCommand struct {
	reach.TenantFlags
	State string        `placeholder:"STATE" help:"Only those that are enabled, paused or disabled."`
	Limit console.Limit `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *endpointsListCommand) Run(ctx context.Context) error {
	query := url.Values{}
	if c.State != "" {
		query.Set("state", c.State)
	}
	all, err := reach.Paged(query, c.Limit, func(query string) ([]endpoint.Endpoint, string, error) {
		var page endpoints.Endpoints
		err := c.Ask(ctx, http.MethodGet, "/endpoints?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(endpoints.Endpoints{Items: all.Items, Cursor: all.Cursor})
	}
	return all.Show("endpoint", endpointColumns)
}

var endpointColumns = []terminal.Column[endpoint.Endpoint]{
	{Title: "ENDPOINT", Cell: func(e endpoint.Endpoint) string { return e.ID }},
	{Title: "STATE", Cell: func(e endpoint.Endpoint) string { return string(e.State) }},
	{Title: "URL", Cell: func(e endpoint.Endpoint) string { return e.URL }},
	{Title: "TYPES", Cell: func(e endpoint.Endpoint) string { return strings.Join(e.EventTypes, " ") }},
	{Title: "RATE", Cell: rateText, Optional: true},
	{Title: "CREATED", Cell: func(e endpoint.Endpoint) string { return console.TimeText(e.Created) }},
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
		state += " since " + console.TimeText(e.Since) + ": " + e.Why
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
		{"Labels", pairsText(e.Labels, "=")}, {"Description", e.Description}, {"Created", console.TimeText(e.Created)},
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
	State string            `group:"Filters" placeholder:"STATE" help:"${delivery_state}"`
	Since *console.PastTime `group:"Filters" placeholder:"TIME" help:"Only attempts since then: 2026-11-24T08:00:00Z, or 2h or 3d ago."`
	Until *console.PastTime `group:"Filters" placeholder:"TIME" help:"Only attempts before then."`
	Limit console.Limit     `default:"50" placeholder:"N" help:"How many to list (${default}), or all."`
}

func (c *endpointsDeliveriesCommand) Run(ctx context.Context) error {
	query := url.Values{}
	if c.State != "" {
		query.Set("state", c.State)
	}
	for name, at := range map[string]*console.PastTime{"since": c.Since, "until": c.Until} {
		if at != nil {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	all, err := reach.Paged(query, c.Limit, func(query string) ([]attempt.Record, string, error) {
		var page endpoints.Deliveries
		err := c.call(ctx, http.MethodGet, "/deliveries?"+query, nil, &page)
		return page.Items, page.Cursor, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(endpoints.Deliveries{Items: all.Items, Cursor: all.Cursor})
	}
	return all.Show("attempt", deliveryColumns)
}

// deliveryColumns show attempts at one endpoint.
var deliveryColumns = []terminal.Column[attempt.Record]{
	{Title: "AT", Cell: func(r attempt.Record) string { return console.TimeText(r.At) }},
	{Title: "WEBHOOK", Cell: func(r attempt.Record) string { return r.WebhookID }},
	{Title: "EVENT", Cell: func(r attempt.Record) string { return r.EventType }},
	{Title: "ATTEMPT", Cell: func(r attempt.Record) string { return fmt.Sprint(r.Attempt) }},
	{Title: "STATUS", Cell: func(r attempt.Record) string { return console.StatusText(r.Status) }},
	{Title: "VERDICT", Cell: deliveries.VerdictText},
	{Title: "URL", Cell: func(r attempt.Record) string { return r.URL }},
	{Title: "REASON", Cell: func(r attempt.Record) string { return r.Reason }, Optional: true},
}
