package webhook

import (
	"net/netip"
	"strings"
	"testing"
)

// TestRefuses: what a URL alone shows is refused before anything is sent to it, by the
// rules that sending has.
func TestRefuses(t *testing.T) {
	t.Parallel()
	local := Options{AllowHTTP: AllowHTTP{loopback: true}, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for _, c := range []struct {
		options  Options
		url, why string
	}{
		{Options{}, "https://a.test/in", ""},
		{Options{}, "https://93.184.216.34/in", ""},
		{Options{}, "no URL", ""},
		{Options{}, "http://a.test/in", "EFFERENT_ALLOW_HTTP"},
		{Options{}, "https://169.254.169.254/", "address 169.254.169.254 is not public"},
		{Options{}, "https://[::1]:8443/", "address ::1 is not public"},
		{Options{}, "https://[::ffff:10.0.0.1]/", "10.0.0.1 is not public"},
		{Options{AllowPorts: []PortRange{{443, 443}}}, "https://a.test:8443/", "EFFERENT_ALLOW_PORTS"},
		{local, "http://127.0.0.1:9000/in", ""},
		{local, "http://localhost:9000/in", ""},
		{local, "http://a.test/in", "EFFERENT_ALLOW_HTTP"},
		{local, "http://169.254.169.254/", "EFFERENT_ALLOW_HTTP"},
	} {
		if got := c.options.Refuses(c.url); (got == "") != (c.why == "") || !strings.Contains(got, c.why) {
			t.Errorf("%s: got %q, want %q", c.url, got, c.why)
		}
	}
}
