package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/handlers/replay"
)

// countColumns fit 80 characters, but for a long URL: times are told as how long
// ago they were, and how long it is until then.
func countColumns(now time.Time) []column[replay.WaitingCount] {
	return []column[replay.WaitingCount]{
		{title: "COUNT", cell: func(c replay.WaitingCount) string { return thousands(c.Count) }},
		{title: "SINCE", cell: func(c replay.WaitingCount) string { return spanText(now.Sub(c.Since)) }},
		{title: "NEXT", cell: func(c replay.WaitingCount) string { return dueText(c.Next, now) }},
		{title: "LAST", cell: func(c replay.WaitingCount) string { return dueText(c.Until, now) }},
		{title: "REASON", cell: func(c replay.WaitingCount) string { return c.Reason }},
		{title: "TENANT", cell: func(c replay.WaitingCount) string { return c.Tenant }, optional: true},
		{title: "TO", cell: func(c replay.WaitingCount) string { return cmp.Or(c.URL, c.Channel) }},
	}
}

var waitingColumns = []column[replay.WaitingItem]{
	{title: "ITEM", cell: func(i replay.WaitingItem) string { return i.ItemID }},
	{title: "DUE", cell: func(i replay.WaitingItem) string { return timeText(i.Due) }},
	{title: "REASON", cell: func(i replay.WaitingItem) string { return i.Reason }},
	{title: "ATTEMPTS", cell: func(i replay.WaitingItem) string { return fmt.Sprint(i.Attempts) }},
	{title: "WEBHOOK", cell: func(i replay.WaitingItem) string { return i.WebhookID }},
	{title: "TENANT", cell: func(i replay.WaitingItem) string { return i.Tenant }, optional: true},
	{title: "TO", cell: func(i replay.WaitingItem) string { return cmp.Or(i.URL, i.Channel) }},
	{title: "CIRCUIT", cell: func(i replay.WaitingItem) string { return i.Circuit }, optional: true},
	{title: "WHY", cell: func(i replay.WaitingItem) string { return i.Why }},
}

// dueText says how long it is until a time; nothing where there is none.
func dueText(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return untilText(at.Sub(now))
}

// untilText says how long it is until something is due.
func untilText(d time.Duration) string {
	if d <= 0 {
		return "now"
	}
	return spanText(d)
}

// spanText is a duration in the largest unit that it has two of, or in seconds.
func spanText(d time.Duration) string {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= 2*unit.d {
			return fmt.Sprintf("%d%s", d/unit.d, unit.name)
		}
	}
	return fmt.Sprintf("%ds", max(0, d/time.Second))
}
