package message

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxID     = 128
	maxTenant = 128 // bytes: SQS's longest MessageGroupId
)

// ValidID reports whether s may be a message's id: 1 to 128 of A-Z, a-z, 0-9, _
// and -.
func ValidID(s string) bool { return s != "" && len(s) <= maxID && OnlyOf(s, "_-") }

// CheckID says what is wrong with an id; "" when nothing is.
func CheckID(s string) string {
	if !ValidID(s) {
		return "must be 1 to 128 of A-Z, a-z, 0-9, _ and -"
	}
	return ""
}

var endpoints = regexp.MustCompile(`^ep_[0-9A-Za-z]{1,61}$`)

// CheckEndpoint says what is wrong with the id of a registered endpoint; "" when
// nothing is.
func CheckEndpoint(s string) string {
	if !endpoints.MatchString(s) {
		return "must be the id of a registered endpoint: ep_, and letters and digits"
	}
	return ""
}

// CheckTenant says what is wrong with a tenant's name; "" when nothing is.
func CheckTenant(s string) string {
	if len(s) > maxTenant || HasControl(s) {
		return "must be at most 128 bytes, without control characters"
	}
	return ""
}

var owners = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.@-]{0,99}$`)

// CheckOwner says what is wrong with the name of a tenant who is to have endpoints;
// "" when nothing is. It stands in paths, in the names of secrets and in those of
// message groups.
func CheckOwner(s string) string {
	if !owners.MatchString(s) {
		return "must be 1 to 100 of A-Z, a-z, 0-9, _, ., @ and -, and begin with a letter or a digit"
	}
	return ""
}

const maxEventType = 256

// CheckEventType says what is wrong with the type of an event that endpoints are to
// subscribe to; "" when nothing is. EventBridge's and CloudEvents' types are such.
func CheckEventType(s string) string {
	switch {
	case s == "" || len(s) > maxEventType:
		return "must be 1 to 256 bytes"
	case slices.Contains(strings.Split(s, "."), "") || strings.TrimSpace(s) != s:
		return "must be names with dots between them, such as invoice.paid"
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '*' }):
		return "must be of ASCII's visible characters and spaces, without *"
	}
	return ""
}

// OnlyOf reports whether s holds letters, digits and the characters of extra
// only, all of ASCII.
func OnlyOf(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(extra, c) >= 0) {
			return false
		}
	}
	return true
}

// OnlyASCII reports whether s is ASCII.
func OnlyASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// HasControl reports whether s has a control character: one of Unicode's
// category Cc, a line break among them, or a line or paragraph separator
// (U+2028, U+2029), which end a line for many readers.
func HasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f {
			return true
		} else if c >= utf8.RuneSelf {
			return strings.ContainsFunc(s[i:], func(r rune) bool { return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 })
		}
	}
	return false
}

// Shorten cuts s to at most n bytes of valid UTF-8.
func Shorten(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
