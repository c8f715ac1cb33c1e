package webhook

import (
	"net/netip"
	"net/url"
)

// Refuses says why a Client by these options would send nothing to a URL, as far as the
// URL alone shows it: plain http, a port, an address in a name's place. Where a name
// leads is seen when it is sent to. It is empty where nothing speaks against it, and for
// what is no URL at all.
func (o Options) Refuses(rawURL string) string {
	_, u, problem := parseURL(rawURL)
	if problem != "" {
		return ""
	}
	err := checkPlace(o.AllowHTTP, o.AllowPorts, u)
	if address, invalid := netip.ParseAddr(u.Hostname()); err == nil && invalid == nil {
		err = newGuard(o.AllowPrefixes, nil, 0).check(netip.AddrPortFrom(address.Unmap(), 443).String())
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// checkPlace refuses a URL that may not be sent to, whatever its host is.
func checkPlace(allowed AllowHTTP, ports []PortRange, u *url.URL) error {
	if u.Scheme == "http" && !allowed.permits(u.Hostname()) {
		return &refusal{ErrPlainHTTP, "plain http to " + u.Host + " is not allowed; EFFERENT_ALLOW_HTTP says where it is"}
	}
	return checkPort(ports, u)
}
