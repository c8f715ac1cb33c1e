package webhook

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// PortRange is the ports from First to Last.
type PortRange struct{ First, Last uint16 }

// ParsePorts reads EFFERENT_ALLOW_PORTS: ports and ranges of them by commas, such as
// "443,8000-8999". Nothing, and "all", is nil, which allows every port.
func ParsePorts(s string) (ports []PortRange, err error) {
	if s = strings.TrimSpace(s); s == "" || s == "all" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, errFrom := strconv.ParseUint(first, 10, 16)
		to, errTo := strconv.ParseUint(last, 10, 16)
		if errFrom != nil || errTo != nil || from == 0 || from > to {
			return nil, fmt.Errorf("%q is no port from 1 to 65535, nor a range such as 8000-8999", part)
		}
		ports = append(ports, PortRange{uint16(from), uint16(to)})
	}
	return ports, nil
}

// checkPort refuses a URL whose port is none of those that are allowed. It is the port
// that is connected to, by a proxy or not: no redirect is followed.
func checkPort(allowed []PortRange, u *url.URL) error {
	if allowed == nil {
		return nil
	}
	port := portOf(u)
	for _, r := range allowed {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && uint16(n) >= r.First && uint16(n) <= r.Last {
			return nil
		}
	}
	return &refusal{ErrBlockedAddress, "port " + port + " is not allowed; EFFERENT_ALLOW_PORTS lists those that are"}
}

func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
