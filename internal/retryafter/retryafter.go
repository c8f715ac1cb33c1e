// Package retryafter reads how long a server asks to be left alone.
package retryafter

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Most is the longest wait that Parse returns: the whole seconds that a
// time.Duration can hold, some 292 years. Callers have limits of their own.
const Most = math.MaxInt64 / time.Second * time.Second

// Parse reads the value of a Retry-After header (RFC 9110, section 10.2.3):
// whole seconds in digits only, or a date, with or without spaces around it. A
// wait that is longer than Most is Most. What can't be read, and what is past,
// is 0.
func Parse(value string, now time.Time) time.Duration {
	value = strings.Trim(value, " \t")
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil { // more digits than it holds
			return Most
		}
		return time.Duration(min(seconds, int64(Most/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(0, date.Sub(now)), Most)
	}
	return 0
}
