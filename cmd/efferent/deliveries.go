package main

import (
	"context"
	"net/url"

	"github.com/efferent/efferent/internal/handlers/replay"
)

type deliveriesCommand struct {
	Show deliveriesShowCommand `cmd:"" help:"The attempts of one delivery, and why they failed."`
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
	return printTable(attemptColumns, d.Attempts)
}
