package endpoint

import (
	"slices"

	"github.com/efferent/efferent/internal/message"
)

// Subscribes reports whether one of the patterns has an event's type, as message.Covers
// has it.
func Subscribes(patterns []string, eventType string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return message.Covers(p, eventType) })
}

// CheckType says what is wrong with the type of an event that is published; "" where
// nothing is.
func CheckType(s string) string { return message.CheckEventType(s) }
