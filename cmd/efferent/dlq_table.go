package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// column is one of a table's columns.
type column[T any] struct {
	title string
	cell  func(T) string
	// optional leaves it out where all of its cells are empty.
	optional bool
}

// printTable prints rows to standard output; on a terminal each is cut at the
// right edge.
func printTable[T any](columns []column[T], rows []T) error {
	width := 0
	if term.IsTerminal(int(os.Stdout.Fd())) {
		width, _, _ = term.GetSize(int(os.Stdout.Fd())) // 0 cuts nothing
	}
	return writeTable(os.Stdout, width, columns, rows)
}

// writeTable cuts each line after width characters; 0 is no limit.
func writeTable[T any](out io.Writer, width int, columns []column[T], rows []T) error {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool {
		return c.optional && !slices.ContainsFunc(rows, func(row T) bool { return c.cell(row) != "" })
	})
	var all strings.Builder
	w := tabwriter.NewWriter(&all, 0, 0, 2, ' ', 0)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.title
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
	for _, row := range rows {
		for i, c := range columns {
			cells[i] = cmp.Or(oneLine(c.cell(row)), "-")
		}
		if last := len(cells) - 1; cells[last] == "-" {
			cells[last] = ""
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(all.String()) {
		if _, err := fmt.Fprintln(out, cut(strings.TrimRight(line, " \n"), width)); err != nil {
			return err
		}
	}
	return nil
}

// oneLine replaces what would break a line or steer a terminal: the texts are
// other people's.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// manyLines is oneLine for text that has lines.
func manyLines(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, text)
}

func cut(line string, width int) string {
	if letters := []rune(line); width > 0 && len(letters) > width {
		return string(letters[:width-1]) + "…"
	}
	return line
}

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
var itemColumns = []column[replay.Item]{
	{title: "ITEM", cell: func(i replay.Item) string { return i.ItemID }},
	{title: "WEBHOOK", cell: func(i replay.Item) string { return i.WebhookID }},
	{title: "EVENT", cell: func(i replay.Item) string { return i.EventType }, optional: true},
	{title: "CHANNEL", cell: func(i replay.Item) string { return i.Channel }, optional: true},
	{title: "TENANT", cell: func(i replay.Item) string { return i.Tenant }, optional: true},
	{title: "STATUS", cell: func(i replay.Item) string { return statusText(i.LastStatus) }},
	{title: "ATTEMPTS", cell: func(i replay.Item) string { return fmt.Sprint(i.Attempts) }},
	{title: "LAST", cell: func(i replay.Item) string { return timeText(i.LastAt) }},
	{title: "REASON", cell: func(i replay.Item) string { return i.Reason }},
}

// attemptColumns serve attempts of webhooks and of notifications.
var attemptColumns = []column[attempt.Record]{
	{title: "AT", cell: func(r attempt.Record) string { return timeText(r.At) }},
	{title: "MESSAGE", cell: func(r attempt.Record) string { return r.MessageID }},
	{title: "ATTEMPT", cell: func(r attempt.Record) string { return fmt.Sprint(r.Attempt) }},
	{title: "CHANNEL", cell: func(r attempt.Record) string { return r.Channel }, optional: true},
	{title: "STATUS", cell: func(r attempt.Record) string { return statusText(r.Status) }},
	{title: "MS", cell: func(r attempt.Record) string { return fmt.Sprint(r.DurationMS) }},
	{title: "VERDICT", cell: verdictText},
	{title: "CLASS", cell: func(r attempt.Record) string { return r.Class }, optional: true},
	{title: "FAILED CHANNELS", cell: func(r attempt.Record) string { return strings.Join(r.FailedChannels, ",") }, optional: true},
	{title: "PROVIDER ID", cell: func(r attempt.Record) string { return r.ProviderID }, optional: true},
	{title: "NEXT", cell: nextText},
	{title: "REASON", cell: func(r attempt.Record) string { return r.Reason }},
}

// originColumns tell apart what has the same webhook id.
var originColumns = []column[attempt.Record]{
	{title: "ORIGIN", cell: attempt.Record.OriginID},
	{title: "TENANT", cell: func(r attempt.Record) string { return r.Tenant }, optional: true},
	{title: "URL", cell: func(r attempt.Record) string { return r.URL }, optional: true},
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
var taskColumns = []column[replay.Task]{
	{title: "ID", cell: func(t replay.Task) string { return t.ID }},
	{title: "STATUS", cell: func(t replay.Task) string { return t.Status }},
	{title: "STARTED", cell: func(t replay.Task) string { return timeText(t.StartedAt) }},
	{title: "MOVED", cell: func(t replay.Task) string { return thousands(t.Moved) }},
	{title: "OF", cell: func(t replay.Task) string { return thousands(t.ToMove) }},
	{title: "RATE", cell: func(t replay.Task) string {
		if t.Rate == 0 {
			return ""
		}
		return fmt.Sprintf("%d/s", t.Rate)
	}, optional: true},
	{title: "TO", cell: func(t replay.Task) string { return t.Destination }, optional: true},
	{title: "REASON", cell: func(t replay.Task) string { return t.Reason }, optional: true},
}
