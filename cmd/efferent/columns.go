package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// timeText is empty for no time.
func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

// thousands writes 1234 as 1,234.
func thousands[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func statusText(status int) string {
	if status == 0 {
		return "-"
	}
	return fmt.Sprint(status)
}

// itemColumns show webhooks and notifications, each with what only they have.
var itemColumns = []terminal.Column[replay.Item]{
	{Title: "ITEM", Cell: func(i replay.Item) string { return i.ItemID }},
	{Title: "WEBHOOK", Cell: func(i replay.Item) string { return i.WebhookID }},
	{Title: "EVENT", Cell: func(i replay.Item) string { return i.EventType }, Optional: true},
	{Title: "CHANNEL", Cell: func(i replay.Item) string { return i.Channel }, Optional: true},
	{Title: "TENANT", Cell: func(i replay.Item) string { return i.Tenant }, Optional: true},
	{Title: "STATUS", Cell: func(i replay.Item) string { return statusText(i.LastStatus) }},
	{Title: "ATTEMPTS", Cell: func(i replay.Item) string { return fmt.Sprint(i.Attempts) }},
	{Title: "LAST", Cell: func(i replay.Item) string { return timeText(i.LastAt) }},
	{Title: "REASON", Cell: func(i replay.Item) string { return i.Reason }},
}

// attemptColumns serve attempts of webhooks and of notifications.
var attemptColumns = []terminal.Column[attempt.Record]{
	{Title: "AT", Cell: func(r attempt.Record) string { return timeText(r.At) }},
	{Title: "MESSAGE", Cell: func(r attempt.Record) string { return r.MessageID }},
	{Title: "ATTEMPT", Cell: func(r attempt.Record) string { return fmt.Sprint(r.Attempt) }},
	{Title: "TO", Cell: func(r attempt.Record) string { return r.To }, Optional: true},
	{Title: "TOPIC", Cell: func(r attempt.Record) string { return r.Topic }, Optional: true},
	{Title: "CHANNEL", Cell: func(r attempt.Record) string { return r.Channel }, Optional: true},
	{Title: "STATUS", Cell: func(r attempt.Record) string { return statusText(r.Status) }},
	{Title: "MS", Cell: func(r attempt.Record) string { return fmt.Sprint(r.DurationMS) }},
	{Title: "VERDICT", Cell: verdictText},
	{Title: "CLASS", Cell: func(r attempt.Record) string { return r.Class }, Optional: true},
	{Title: "FAILED CHANNELS", Cell: func(r attempt.Record) string { return strings.Join(r.FailedChannels, ",") }, Optional: true},
	{Title: "PROVIDER ID", Cell: func(r attempt.Record) string { return r.ProviderID }, Optional: true},
	{Title: "NEXT", Cell: nextText},
	{Title: "REASON", Cell: func(r attempt.Record) string { return r.Reason }},
}

// nextText is a time of day, unless it is long after.
func nextText(r attempt.Record) string {
	switch {
	case r.NextAt.IsZero() || r.Circuit != "":
		return "-"
	case r.NextAt.Sub(r.At) > 12*time.Hour:
		return timeText(r.NextAt)
	}
	return r.NextAt.Local().Format(time.TimeOnly)
}

func verdictText(r attempt.Record) string {
	if r.Dropped {
		return "dropped"
	}
	return string(r.Verdict)
}

// taskColumns show move tasks.
var taskColumns = []terminal.Column[replay.Task]{
	{Title: "ID", Cell: func(t replay.Task) string { return t.ID }},
	{Title: "STATUS", Cell: func(t replay.Task) string { return t.Status }},
	{Title: "STARTED", Cell: func(t replay.Task) string { return timeText(t.StartedAt) }},
	{Title: "MOVED", Cell: func(t replay.Task) string { return thousands(t.Moved) }},
	{Title: "OF", Cell: func(t replay.Task) string { return thousands(t.ToMove) }},
	{Title: "RATE", Cell: func(t replay.Task) string {
		if t.Rate == 0 {
			return ""
		}
		return fmt.Sprintf("%d/s", t.Rate)
	}, Optional: true},
	{Title: "TO", Cell: func(t replay.Task) string { return t.Destination }, Optional: true},
	{Title: "REASON", Cell: func(t replay.Task) string { return t.Reason }, Optional: true},
}
