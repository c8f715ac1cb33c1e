package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// PastTime is a time that may be given as how long ago it was.
type PastTime struct{ time.Time }

// UnmarshalText reads it.
func (p *PastTime) UnmarshalText(text []byte) (err error) {
	p.Time, err = parsePast(string(text), time.Now())
	return err
}

// parsePast reads RFC 3339, a duration before now, or a number of days before
// now: 14d. The result is in whole seconds.
func parsePast(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	ago, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		ago = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || ago <= 0 {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-11-24T08:00:00Z nor how long ago, such as 90m, 2h or 3d", text)
	}
	return now.Add(-ago).UTC().Truncate(time.Second), nil
}
