package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/efferent/efferent/internal/loopback"
)

// ErrBlockedAddress says that a host has no address that may be connected to.
var ErrBlockedAddress = errors.New("blocked address")

// guard dials addresses that are public unicast, or excepted. It looks at the
// address that is dialled, after DNS, so that a name can't be pointed
// elsewhere between the look and the dialling.
type guard struct {
	safe   *ssrf.Guardian
	dialer net.Dialer
}

func newGuard(except []netip.Prefix, resolver *net.Resolver, timeout time.Duration) *guard {
	var v4, v6 []netip.Prefix
	for _, p := range except {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	g := &guard{safe: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
	// The transport dials on after the exchange that wanted the connection has
	// ended, so dialling needs a bound of its own.
	g.dialer = net.Dialer{Timeout: timeout, Resolver: resolver, ControlContext: g.control}
	return g
}

// dial reports ErrBlockedAddress only where every address was blocked: a name
// that also has a public address, which is down, may well work later.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	tried := new(atomic.Bool)
	conn, err := g.dialer.DialContext(context.WithValue(ctx, triedKey{}, tried), network, address)
	if err != nil && tried.Load() && errors.Is(err, ErrBlockedAddress) {
		return nil, fmt.Errorf("no connection: no public address of %s answered", address)
	}
	return conn, err
}

// triedKey holds an *atomic.Bool: an allowed address was tried.
type triedKey struct{}

// control is net.Dialer's ControlContext: it sees each address before it is
// connected to.
func (g *guard) control(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if err := g.check(address); err != nil {
		return err
	}
	if tried, ok := ctx.Value(triedKey{}).(*atomic.Bool); ok {
		tried.Store(true)
	}
	return nil
}

// check refuses an address, with a port, that is not public unicast, nor excepted.
func (g *guard) check(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil {
		err = g.safe.SafeAddrPort(to)
	}
	if err != nil {
		host, _, _ := net.SplitHostPort(address)
		return &refusal{ErrBlockedAddress, "address " + host + " is not public; EFFERENT_ALLOW_CIDRS lists exceptions"}
	}
	return nil
}

// refusal is an error whose kind need not be told in its text.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

// ErrPlainHTTP says that a URL is http where only https is allowed.
var ErrPlainHTTP = errors.New("plain http not allowed")

// AllowHTTP says which hosts may be sent to over plain http. The zero value
// allows none.
type AllowHTTP struct {
	all, loopback bool
	hosts         []string
}

// ParseAllowHTTP reads EFFERENT_ALLOW_HTTP: "" or "none"; "all"; or a list, by
// commas, of host names and addresses, where "loopback" stands for localhost,
// names under it and loopback addresses.
func ParseAllowHTTP(s string) (AllowHTTP, error) {
	var a AllowHTTP
	switch strings.TrimSpace(s) {
	case "", "none":
		return a, nil
	case "all":
		return AllowHTTP{all: true}, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		host := normalHost(strings.TrimSpace(part))
		_, err := netip.ParseAddr(host)
		switch {
		case host == "loopback":
			a.loopback = true
		case host == "all" || host == "none":
			return AllowHTTP{}, fmt.Errorf("%q must stand alone", host)
		case host == "" || err != nil && strings.ContainsAny(host, "/:@*?# \t"):
			return AllowHTTP{}, fmt.Errorf("%q is not a host name: give it without http:// and port", part)
		default:
			a.hosts = append(a.hosts, host)
		}
	}
	return a, nil
}

// permits takes a URL's host, without port or brackets.
func (a AllowHTTP) permits(host string) bool {
	host = normalHost(host)
	if a.all || a.loopback && loopback.Is(host) {
		return true
	}
	for _, h := range a.hosts {
		if h == host {
			return true
		}
	}
	return false
}

func normalHost(host string) string {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
