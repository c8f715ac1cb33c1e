package waiting

import (
	"cmp"
	"fmt"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

// countColumns fit 80 characters, but for a long URL: times are told as how long
// ago they were, and how long it is until then.
func countColumns(now time.Time) []terminal.Column[replay.WaitingCount] {
	return []terminal.Column[replay.WaitingCount]{
		{Title: "COUNT", Cell: func(c replay.WaitingCount) string { return console.Thousands(c.Count) }},
		{Title: "SINCE", Cell: func(c replay.WaitingCount) string { return console.SpanText(now.Sub(c.Since)) }},
		{Title: "NEXT", Cell: func(c replay.WaitingCount) string { return dueText(c.Next, now) }},
		{Title: "LAST", Cell: func(c replay.WaitingCount) string { return dueText(c.Until, now) }},
		{Title: "REASON", Cell: func(c replay.WaitingCount) string { return c.Reason }},
		{Title: "TENANT", Cell: func(c replay.WaitingCount) string { return c.Tenant }, Optional: true},
		{Title: "TO", Cell: func(c replay.WaitingCount) string { return cmp.Or(c.URL, c.Channel) }},
	}
}

var waitingColumns = []terminal.Column[replay.WaitingItem]{
	{Title: "ITEM", Cell: func(i replay.WaitingItem) string { return i.ItemID }},
	{Title: "DUE", Cell: func(i replay.WaitingItem) string { return console.TimeText(i.Due) }},
	{Title: "REASON", Cell: func(i replay.WaitingItem) string { return i.Reason }},
	{Title: "ATTEMPTS", Cell: func(i replay.WaitingItem) string { return fmt.Sprint(i.Attempts) }},
	{Title: "WEBHOOK", Cell: func(i replay.WaitingItem) string { return i.WebhookID }},
	{Title: "TENANT", Cell: func(i replay.WaitingItem) string { return i.Tenant }, Optional: true},
	{Title: "TO", Cell: func(i replay.WaitingItem) string { return cmp.Or(i.URL, i.Channel) }},
	{Title: "CIRCUIT", Cell: func(i replay.WaitingItem) string { return i.Circuit }, Optional: true},
	{Title: "WHY", Cell: func(i replay.WaitingItem) string { return i.Why }},
}

// dueText says how long it is until a time; nothing where there is none.
func dueText(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return console.UntilText(at.Sub(now))
}
