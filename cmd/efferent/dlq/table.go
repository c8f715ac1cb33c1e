package dlq

import (
	"fmt"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// itemColumns show webhooks and notifications, each with what only they have.
var itemColumns = []terminal.Column[replay.Item]{
	{Title: "ITEM", Cell: func(i replay.Item) string { return i.ItemID }},
	{Title: "WEBHOOK", Cell: func(i replay.Item) string { return i.WebhookID }},
	{Title: "EVENT", Cell: func(i replay.Item) string { return i.EventType }, Optional: true},
	{Title: "CHANNEL", Cell: func(i replay.Item) string { return i.Channel }, Optional: true},
	{Title: "TENANT", Cell: func(i replay.Item) string { return i.Tenant }, Optional: true},
	{Title: "STATUS", Cell: func(i replay.Item) string { return console.StatusText(i.LastStatus) }},
	{Title: "ATTEMPTS", Cell: func(i replay.Item) string { return fmt.Sprint(i.Attempts) }},
	{Title: "LAST", Cell: func(i replay.Item) string { return console.TimeText(i.LastAt) }},
	{Title: "REASON", Cell: func(i replay.Item) string { return i.Reason }},
}

// taskColumns show move tasks.
var taskColumns = []terminal.Column[replay.Task]{
	{Title: "ID", Cell: func(t replay.Task) string { return t.ID }},
	{Title: "STATUS", Cell: func(t replay.Task) string { return t.Status }},
	{Title: "STARTED", Cell: func(t replay.Task) string { return console.TimeText(t.StartedAt) }},
	{Title: "MOVED", Cell: func(t replay.Task) string { return console.Thousands(t.Moved) }},
	{Title: "OF", Cell: func(t replay.Task) string { return console.Thousands(t.ToMove) }},
	{Title: "RATE", Cell: func(t replay.Task) string {
		if t.Rate == 0 {
			return ""
		}
		return fmt.Sprintf("%d/s", t.Rate)
	}, Optional: true},
	{Title: "TO", Cell: func(t replay.Task) string { return t.Destination }, Optional: true},
	{Title: "REASON", Cell: func(t replay.Task) string { return t.Reason }, Optional: true},
}
