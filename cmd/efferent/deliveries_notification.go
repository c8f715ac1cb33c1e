package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/attempt"
	messages "github.com/efferent/efferent/internal/message"
)

// whyLeftBy says of each class of failure why a channel was left for it.
var whyLeftBy = map[string]string{
	"permanent":     "it will never take this for this recipient",
	"transient":     "it took nothing, however often it was tried",
	"limit":         "it had no turn for this by the deadline",
	"configuration": "it can't be used until an operator mends it",
	"unknown":       "it was handed over, and nobody knows whether it was taken",
	"opted_out":     "the recipient wants nothing there",
}

// heldFor says what a message was held for, by message.Held's reasons.
var heldFor = map[string]string{
	"limit":   "for its turn at the provider's pace",
	"trouble": "by trouble of Efferent's own",
	"pause":   "by a pause",
}

// wayOf tells in words which way the notification went that records are of, oldest
// first: for what it was, why each channel was left, and who took it in the end.
// Nothing of a webhook. No address is in it: --json has those.
func wayOf(of []attempt.Record) (all []string) {
	last := of[len(of)-1]
	if !last.Notification {
		return nil
	}
	if about := aboutOf(last); about != "" {
		all = append(all, about)
	}
	for _, on := range last.FailedChannels {
		r := attempt.LastOn(of, on)
		all = append(all, on+" was left, as "+whyLeft(r))
	}
	switch {
	case last.Verdict == attempt.Delivered:
		all = append(all, tookIt(last))
	case last.Verdict.Final() && !last.Dropped && !slices.Contains(last.FailedChannels, last.Channel):
		all = append(all, "not sent: "+last.Reason)
	case last.Verdict.Final() && !last.Dropped:
		all = append(all, "not sent")
	}
	return all
}

// aboutOf is whom the message names, what it is about and what it was made of.
func aboutOf(r attempt.Record) string {
	var parts []string
	for _, p := range [][2]string{{"for ", r.To}, {"about ", r.Topic}, {"made of the template ", r.Template}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	return strings.Join(parts, ", ")
}

func whyLeft(r attempt.Record) string {
	if told := reported(r); told != "" && r.Class == "" { // it was taken, and came back
		return told
	}
	why := whyLeftBy[r.Class]
	if why == "" {
		return r.Reason
	}
	if r.Status != 0 {
		why += fmt.Sprintf(" (%d)", r.Status)
	}
	if r.Reason != "" {
		why += ": " + r.Reason
	}
	return why
}

// reported is what the provider said of an attempt later; "" where it said nothing.
func reported(r attempt.Record) string {
	if r.Report == nil {
		return ""
	}
	text := "it was reported as " + string(r.Report.State)
	if r.Report.Reason != "" {
		text += ": " + r.Report.Reason
	}
	return text
}

func tookIt(r attempt.Record) string {
	text := r.Channel + " took it at " + timeText(r.Ended())
	if r.ProviderID != "" {
		text += ", and calls it " + r.ProviderID
	}
	held := messages.ParseHeld(r.Held)
	for _, reason := range slices.Sorted(maps.Keys(held)) {
		why := heldFor[reason]
		if why == "" {
			why = "by " + reason
		}
		text += fmt.Sprintf("; it was held for %s %s", held[reason], why)
	}
	for _, more := range []string{r.Reason, reported(r)} {
		if more != "" {
			text += "; " + more
		}
	}
	return text
}
