package endpoint

import "strings"

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

const maxType = 256

// CheckType says what is wrong with the type of an event that is published; "" where
// nothing is.
func CheckType(s string) string {
	if s == "" || len(s) > maxType {
		return "must be 1 to 256 bytes"
	}
	for name := range strings.SplitSeq(s, ".") {
		if name == "" || !onlyNames(name) {
			return "must be names of A-Z, a-z, 0-9, _ and - with dots between them, such as invoice.paid"
		}
	}
	return ""
}

func onlyNames(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	})
}
