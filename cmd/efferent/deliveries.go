package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

type deliveriesCommand struct {
	Show deliveriesShowCommand `cmd:"" help:"The attempts under one id, why they failed, and when it goes on."`
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
	several := severalOrigins(d.Attempts)
	if several {
		columns = append(slices.Clone(originColumns), columns...)
	}
	if err := printTable(columns, d.Attempts); err != nil {
		return err
	}
	for _, last := range lastOfOrigins(d.Attempts) {
		text := outlook(last, time.Now())
		if text != "" && several {
			text = last.OriginID() + " " + text
		}
		if text != "" {
			fmt.Println(oneLine(text))
		}
	}
	printTraces(d.Attempts)
	return nil
}

// printTraces says which traces the attempts belong to, each once.
func printTraces(attempts []attempt.Record) {
	said := map[string]bool{"": true}
	for _, r := range attempts {
		if !said[r.TraceID] {
			said[r.TraceID] = true
			fmt.Println("trace " + r.TraceID)
		}
	}
}

// severalOrigins reports whether the attempts under one id were made of several
// messages: to other endpoints, of other tenants, or sent twice.
func severalOrigins(attempts []attempt.Record) bool {
	return slices.ContainsFunc(attempts, func(r attempt.Record) bool { return r.OriginID() != attempts[0].OriginID() })
}

// lastOfOrigins are the newest records of each origin. Those of one stand
// together, oldest first.
func lastOfOrigins(attempts []attempt.Record) (last []attempt.Record) {
	for i, r := range attempts {
		if i == len(attempts)-1 || attempts[i+1].OriginID() != r.OriginID() {
			last = append(last, r)
		}
	}
	return last
}

// outlook says what is to come after the last record of a message; empty where
// that is nothing, or told by the verdict.
func outlook(r attempt.Record, now time.Time) string {
	verb, until := "waits", "until "+timeText(r.NextAt)
	if r.Verdict == attempt.Held {
		verb = "is held"
	}
	switch {
	case r.Dropped:
		return r.Reason
	case r.Verdict.Final():
		return ""
	case r.Circuit != "":
		return "held: " + strings.TrimPrefix(r.Reason, "never sent: ")
	case !r.NextAt.After(now):
		until = "no longer: it was due at " + timeText(r.NextAt)
	case r.Waiting:
		until += " in the waiting room"
	}
	return verb + " " + until + ": " + r.Reason
}
