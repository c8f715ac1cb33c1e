// Package deliveries is efferent deliveries: the attempts of one message, as other
// commands show them too.
package deliveries

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// Command is efferent deliveries.
type Command struct {
	Show deliveriesShowCommand `cmd:"" help:"The attempts under one id, why they failed, and when it goes on."`
}

type deliveriesShowCommand struct {
	reach.APIFlags
	ID   string `arg:"" name:"webhook-id" help:"The webhook-id, or a notification's id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c *deliveriesShowCommand) Run(ctx context.Context) error {
	var d replay.Delivery
	if err := c.Get(ctx, "/api/v1/deliveries/"+url.PathEscape(c.ID), &d); err != nil {
		return err
	}
	if c.JSON {
		return console.PrintJSON(d)
	}
	return printAttempts(terminal.Stdout(), d.Attempts, time.Now())
}

// printAttempts prints the attempts under an id, and what is to come. Where they
// are of several messages each stands by itself, after where it went.
func printAttempts(s terminal.Screen, all []attempt.Record, now time.Time) error {
	several := severalOrigins(all)
	for i, of := range byOrigin(all) {
		last := of[len(of)-1]
		var err error
		if i > 0 {
			_, err = fmt.Fprintln(s.Out)
		}
		if several {
			err = errors.Join(err, s.Fields([][2]string{{"Origin", last.OriginID()}, {"Tenant", last.Tenant}, {"URL", last.URL}}))
		}
		err = errors.Join(err, PrintTries(s, of))
		if text := outlook(last, now); text != "" {
			err = errors.Join(err, s.Say(text))
		}
		if err := errors.Join(err, sayTraces(s, of)); err != nil {
			return err
		}
	}
	return nil
}

// PrintTries prints the attempts of one message, and which way it went.
func PrintTries(s terminal.Screen, of []attempt.Record) error {
	err := terminal.Table(s, attemptColumns, of)
	for _, text := range wayOf(of) {
		err = errors.Join(err, s.Say(text))
	}
	return err
}

// sayTraces says which traces the attempts belong to, each once.
func sayTraces(s terminal.Screen, attempts []attempt.Record) (err error) {
	said := map[string]bool{"": true}
	for _, r := range attempts {
		if !said[r.TraceID] {
			said[r.TraceID] = true
			err = errors.Join(err, s.Say("trace "+r.TraceID))
		}
	}
	return err
}

// severalOrigins reports whether the attempts under one id were made of several
// messages: to other endpoints, of other tenants, or sent twice.
func severalOrigins(attempts []attempt.Record) bool {
	return slices.ContainsFunc(attempts, func(r attempt.Record) bool { return r.OriginID() != attempts[0].OriginID() })
}

// byOrigin parts the records of each origin. Those of one stand together, oldest
// first.
func byOrigin(attempts []attempt.Record) (all [][]attempt.Record) {
	begin := 0
	for i, r := range attempts {
		if i == len(attempts)-1 || attempts[i+1].OriginID() != r.OriginID() {
			all, begin = append(all, attempts[begin:i+1]), i+1
		}
	}
	return all
}

// outlook says what is to come after the last record of a message; empty where
// that is nothing, or told by the verdict.
func outlook(r attempt.Record, now time.Time) string {
	verb, until := "waits", "until "+console.TimeText(r.NextAt)
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
		until = "no longer: it was due at " + console.TimeText(r.NextAt)
	case r.Waiting:
		until += " in the waiting room"
	}
	return verb + " " + until + ": " + r.Reason
}

// AttemptsOf asks the API; a delivery it does not know yet has no attempts.
func AttemptsOf(ctx context.Context, api *reach.APIFlags, id string) ([]attempt.Record, error) {
	var d replay.Delivery
	err := api.Get(ctx, "/api/v1/deliveries/"+id, &d)
	var answered *reach.APIError
	if errors.As(err, &answered) && answered.Status == http.StatusNotFound {
		return nil, nil
	}
	return d.Attempts, err
}
