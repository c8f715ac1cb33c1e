package rotate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// originPrefix begins a label of the version that a rotation makes; the rest of it
// is its origin: the seconds since 1970, a hyphen, and the version's ID.
const originPrefix = "efferent-from-"

// origin is when a version was made, and of which one: that was current then, and
// in its place alone may the other one become so.
type origin struct {
	at      time.Time
	version string
}

func (o origin) label() string { return fmt.Sprintf("%s%d-%s", originPrefix, o.at.Unix(), o.version) }

func isOrigin(label string) bool { return strings.HasPrefix(label, originPrefix) }

// findOrigin reads it off a version's labels.
func findOrigin(labels []string) (o origin, ok bool) {
	for _, label := range labels {
		rest, is := strings.CutPrefix(label, originPrefix)
		seconds, version, _ := strings.Cut(rest, "-")
		if at, err := strconv.ParseInt(seconds, 10, 64); is && err == nil && version != "" {
			return origin{time.Unix(at, 0), version}, true
		}
	}
	return origin{}, false
}
