package message

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Held is how long a message has been held so far, by the reason, in whole
// seconds. Its text is "trouble=60,retry-after=3600", in the order of the
// reasons.
type Held map[string]time.Duration

// String is the text; empty where nothing was held.
func (h Held) String() string {
	if len(h) == 0 {
		return ""
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(h)) {
		if seconds := int64(h[reason] / time.Second); seconds > 0 {
			parts = append(parts, reason+"="+strconv.FormatInt(seconds, 10))
		}
	}
	return strings.Join(parts, ",")
}

// maxHeld is longer than anything is held.
const maxHeld = 60 * 24 * time.Hour

// ParseHeld reads what String writes. What can't be read of it is left out.
func ParseHeld(text string) Held {
	if text == "" {
		return nil
	}
	var h Held
	for part := range strings.SplitSeq(text, ",") {
		reason, number, _ := strings.Cut(part, "=")
		seconds, err := strconv.ParseInt(number, 10, 64)
		if err != nil || reason == "" || !OnlyOf(reason, "-") || seconds <= 0 || seconds > int64(maxHeld/time.Second) {
			continue
		}
		if h == nil {
			h = Held{}
		}
		h[reason] = time.Duration(seconds) * time.Second
	}
	return h
}

// With is h and more time for a reason; h stays as it is.
func (h Held) With(reason string, d time.Duration) Held {
	more := maps.Clone(h)
	if more == nil {
		more = Held{}
	}
	more[reason] += d
	return more
}

// Total is how long it was held in all, whatever the reasons.
func (h Held) Total() (all time.Duration) {
	for _, d := range h {
		all += d
	}
	return all
}

// MarshalText is String.
func (h Held) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHeld.
func (h *Held) UnmarshalText(text []byte) error {
	*h = ParseHeld(string(text))
	return nil
}
