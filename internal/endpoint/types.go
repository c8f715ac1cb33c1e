package endpoint

import (
	"strings"

	"github.com/efferent/efferent/internal/message"
)

// Subscribes reports whether one of the patterns has an event's type: a pattern is a
// type, or one with ".*" in the place of its last names ("invoice.*" has
// "invoice.paid" and "invoice.item.added", and not "invoice"), or "*", which has all.
func Subscribes(patterns []string, eventType string) bool {
	for _, p := range patterns {
		if p == "*" || p == eventType {
			return true
		}
		if prefix, ok := strings.CutSuffix(p, "*"); ok && strings.HasSuffix(prefix, ".") && len(eventType) > len(prefix) &&
			strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return false
}

// checkPattern says what is wrong with a pattern of event types; "" where nothing is.
func checkPattern(p string) string {
	if p == "*" {
		return ""
	}
	if problem := CheckType(strings.TrimSuffix(p, ".*")); problem != "" {
		return "must be names with dots between them, such as invoice.paid, or invoice.*, or *"
	}
	return ""
}

// CheckType says what is wrong with the type of an event that is published; "" where
// nothing is.
func CheckType(s string) string { return message.CheckEventType(s) }
