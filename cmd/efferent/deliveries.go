package main

import (
	"context"
	"net/url"
	"slices"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

type deliveriesCommand struct {
	Show deliveriesShowCommand `cmd:"" help:"The attempts under one id, and why they failed."`
}

type deliveriesShowCommand struct {
	apiFlags
	ID   string `arg:"" name:"webhook-id" help:"The webhook-id, or a notification's id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c *deliveriesShowCommand) Run(ctx context.Context) error {
	var d replay.Delivery
	if err := c.get(ctx, "/api/v1/deliveries/"+url.PathEscape(c.ID), &d); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(d)
	}
	columns := attemptColumns
	if severalOrigins(d.Attempts) {
		columns = append(slices.Clone(originColumns), columns...)
	}
	return printTable(columns, d.Attempts)
}

// severalOrigins reports whether the attempts under one id were made of several
// messages: to other endpoints, of other tenants, or sent twice.
func severalOrigins(attempts []attempt.Record) bool {
	return slices.ContainsFunc(attempts, func(r attempt.Record) bool { return r.OriginID() != attempts[0].OriginID() })
}
