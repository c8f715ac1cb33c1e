// Package loopback says which hosts are this machine by their names alone.
package loopback

import (
	"net/netip"
	"strings"
)

// Is reports whether host, without a port, is this machine: localhost, a name
// under it (RFC 6761, section 6.3), or an address of 127.0.0.0/8, ::1 or one of
// those mapped into IPv6. Case does not matter, nor do a trailing dot and the
// brackets that URLs put around IPv6. Nothing is resolved.
func Is(host string) bool {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
