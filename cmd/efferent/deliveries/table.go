package deliveries

import (
	"fmt"
	"strings"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/terminal"
)

// attemptColumns serve attempts of webhooks and of notifications.
var attemptColumns = []terminal.Column[attempt.Record]{
	{Title: "AT", Cell: func(r attempt.Record) string { return console.TimeText(r.At) }},
	{Title: "MESSAGE", Cell: func(r attempt.Record) string { return r.MessageID }},
	{Title: "ATTEMPT", Cell: func(r attempt.Record) string { return fmt.Sprint(r.Attempt) }},
	{Title: "TO", Cell: func(r attempt.Record) string { return r.To }, Optional: true},
	{Title: "TOPIC", Cell: func(r attempt.Record) string { return r.Topic }, Optional: true},
	{Title: "CHANNEL", Cell: func(r attempt.Record) string { return r.Channel }, Optional: true},
	{Title: "STATUS", Cell: func(r attempt.Record) string { return console.StatusText(r.Status) }},
	{Title: "MS", Cell: func(r attempt.Record) string { return fmt.Sprint(r.DurationMS) }},
	{Title: "VERDICT", Cell: VerdictText},
	{Title: "CLASS", Cell: func(r attempt.Record) string { return r.Class }, Optional: true},
	{Title: "FAILED CHANNELS", Cell: func(r attempt.Record) string { return strings.Join(r.FailedChannels, ",") }, Optional: true},
	{Title: "PROVIDER ID", Cell: func(r attempt.Record) string { return r.ProviderID }, Optional: true},
	{Title: "STATE", Cell: func(r attempt.Record) string { return string(r.State) }, Optional: true},
	{Title: "NEXT", Cell: nextText},
	{Title: "REASON", Cell: reasonText},
}

// reasonText is why it failed, or has come back since.
func reasonText(r attempt.Record) string {
	if r.Report != nil && r.Reason == "" {
		return r.Report.Reason
	}
	return r.Reason
}

// nextText is a time of day, unless it is long after.
func nextText(r attempt.Record) string {
	switch {
	case r.NextAt.IsZero() || r.Circuit != "":
		return "-"
	case r.NextAt.Sub(r.At) > 12*time.Hour:
		return console.TimeText(r.NextAt)
	}
	return r.NextAt.Local().Format(time.TimeOnly)
}

// VerdictText is a verdict, for people.
func VerdictText(r attempt.Record) string {
	if r.Dropped {
		return "dropped"
	}
	return string(r.Verdict)
}
