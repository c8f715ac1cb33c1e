package sqsserver

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/localaws/origin"
	"github.com/efferent/efferent/internal/loopback"
)

// LoopbackOnly refuses requests whose Host is neither a loopback name nor one
// of the allowed ones with 403. A web page that has its own name resolve to
// 127.0.0.1 (DNS rebinding) can then not use what listens there.
func LoopbackOnly(next http.Handler, allowed ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := nameOf(r.Host); !loopback.Is(name) && !slices.ContainsFunc(allowed, sameHost(name)) {
			origin.Refuse(w, "Host is not a loopback name: use localhost, 127.0.0.1 or [::1], or start with --allow-host for this name")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// nameOf is a Host header without its port.
func nameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func sameHost(name string) func(string) bool {
	name = strings.TrimSuffix(name, ".")
	return func(allowed string) bool { return strings.EqualFold(name, allowed) }
}

// CheckHost says what is wrong with a name that LoopbackOnly is to allow.
func CheckHost(name string) error {
	if net.ParseIP(name) != nil || hostName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q is no host name: give the name alone, without a scheme, a port or wildcards, as in host.docker.internal", name)
}

// hostName also has the underscores of Compose services.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$`)
