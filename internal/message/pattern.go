package message

import "strings"

// CheckPattern says what is wrong with a pattern of event types or topics; "" where
// nothing is.
func CheckPattern(p string) string {
	if p == "*" {
		return ""
	}
	if problem := CheckEventType(strings.TrimSuffix(p, ".*")); problem != "" {
		return "must be names with dots between them, such as invoice.paid, or invoice.*, or *"
	}
	return ""
}

// Covers reports whether a pattern has a type: a pattern is a type, or one with ".*" in
// the place of its last names ("invoice.*" has "invoice.paid" and "invoice.item.added",
// and not "invoice"), or "*", which has all.
func Covers(pattern, name string) bool {
	if pattern == "*" || pattern == name {
		return true
	}
	prefix, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasSuffix(prefix, ".") && len(name) > len(prefix) && strings.HasPrefix(name, prefix)
}
