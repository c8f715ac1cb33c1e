package settings

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// Network is where signed webhooks may go.
type Network struct {
	AllowHTTP  webhook.AllowHTTP
	AllowCIDRs []netip.Prefix
	// AllowPorts are those that may be connected to; nil is all.
	AllowPorts []webhook.PortRange
	// ProxyResolves: the proxy is given names, and guards them.
	ProxyResolves bool
	// CABundle is where the certificates of private authorities are; empty where
	// there are none.
	CABundle string
}

// options are those of a webhook.Client.
func (n Network) options(proxy *url.URL) webhook.Options {
	return webhook.Options{
		AllowHTTP: n.AllowHTTP, AllowPrefixes: n.AllowCIDRs, AllowPorts: n.AllowPorts, Proxy: proxy, ProxyResolves: n.ProxyResolves,
	}
}

func (r *reader) network(proxy *url.URL) Network {
	n := Network{
		AllowHTTP:     parsed(r, AllowHTTP, webhook.ParseAllowHTTP),
		AllowCIDRs:    parsed(r, AllowCIDRs, parsePrefixes),
		AllowPorts:    parsed(r, AllowPorts, webhook.ParsePorts),
		ProxyResolves: parsed(r, ProxyResolves, parseBool),
		CABundle:      r.getenv(CABundle),
	}
	if n.ProxyResolves && proxy == nil {
		r.fail(ProxyResolves, fmt.Errorf("there is no proxy: %s is not set", Proxy))
	}
	return n
}

func parsePrefixes(text string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.1.0.0/16", part)
		}
		prefixes = append(prefixes, p.Masked())
	}
	return prefixes, nil
}

// A message may wait for a circuit so long. Its records stay for longer than the
// most.
const (
	DefaultMaxHeld = 6 * time.Hour
	leastMaxHeld   = time.Minute
	mostMaxHeld    = 14 * 24 * time.Hour
)

func parseMaxHeld(text string) (time.Duration, error) {
	if text == "" {
		return DefaultMaxHeld, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastMaxHeld || d > mostMaxHeld {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, leastMaxHeld, mostMaxHeld)
	}
	return d, nil
}

func parseTimeout(text string) (time.Duration, error) {
	if text == "" {
		return webhook.DefaultTimeout, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < webhook.MinTimeout || d > webhook.MaxTimeout {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, webhook.MinTimeout, webhook.MaxTimeout)
	}
	return d, nil
}

func parseGrace(text string) (time.Duration, error) {
	if text == "" {
		return signingkey.DefaultGrace, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || signingkey.CheckGrace(d) != nil {
		return 0, fmt.Errorf("%q is not a duration from 0 to %s", text, signingkey.MaxGrace)
	}
	return d, nil
}

func parseTTL(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration such as 5m", text)
	}
	return d, nil
}
