package webhook

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/loopback"
)

// ErrProxy says that the proxy is at fault, and the endpoint was never asked.
var ErrProxy = errors.New("the proxy is not of use")

// ParseProxy reads EFFERENT_PROXY: an http or https URL of a host and a port. Without a
// port it is 80 or 443. A user's name and password have no place in it: settings lie open.
func ParseProxy(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is not the URL of a proxy, such as http://proxy.internal:3128")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must have nothing behind its host and port")
	case checkTarget(u) != "":
		return nil, errors.New(checkTarget(u))
	}
	return &url.URL{Scheme: u.Scheme, Host: net.JoinHostPort(u.Hostname(), portOf(u))}, nil
}

// tunnel dials through a proxy: each connection, of plain http too, is one that the
// proxy makes by CONNECT (RFC 9110, section 9.3.6). By default names are looked up and
// addresses checked here, and the proxy is asked for the very address, so that what
// guard promises holds behind a proxy too.
type tunnel struct {
	guard    *guard
	proxy    *url.URL
	tls      *tls.Config // to an https proxy
	resolves bool        // the proxy is asked for names, and must guard them itself
	resolver *net.Resolver
	timeout  time.Duration
}

func newTunnel(o Options, timeout time.Duration) *tunnel {
	t := &tunnel{guard: newGuard(o.AllowPrefixes, o.Resolver, timeout), proxy: o.Proxy, tls: o.TLS.Clone(),
		resolves: o.ProxyResolves, resolver: o.Resolver, timeout: timeout}
	if t.tls == nil {
		t.tls = new(tls.Config)
	}
	t.tls.ServerName, t.tls.NextProtos = o.Proxy.Hostname(), nil
	if t.resolver == nil {
		t.resolver = net.DefaultResolver
	}
	return t
}

// dial tries the addresses of a host in turn. As guard.dial it needs a bound of its own.
func (t *tunnel) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	targets, err := t.targets(ctx, address)
	if err != nil {
		return nil, err
	}
	for _, to := range targets {
		var conn net.Conn
		if conn, err = t.connect(ctx, to); err == nil || ctx.Err() != nil || errors.Is(err, ErrProxy) {
			return conn, err
		}
	}
	return nil, err
}

// targets is what the proxy may be asked for.
func (t *tunnel) targets(ctx context.Context, address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err != nil && t.resolves {
		if loopback.Is(host) || endsInNumber(host) { // which a resolver may take for an address (inet_aton)
			return nil, &refusal{ErrBlockedAddress, "host " + host + " is not a public name"}
		}
		return []string{address}, nil
	}
	found, err := t.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, ip := range found {
		to := netip.AddrPortFrom(ip.Unmap(), 0).Addr()
		if err = t.guard.check(net.JoinHostPort(to.String(), port)); err == nil {
			targets = append(targets, net.JoinHostPort(to.String(), port))
		}
	}
	if len(targets) == 0 {
		return nil, err
	}
	return targets, nil
}

// endsInNumber is as URLs are read by browsers (WHATWG URL, "ends in a number").
func endsInNumber(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := strings.ToLower(labels[len(labels)-1])
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
}

// connect has the proxy connect to one address or name.
func (t *tunnel) connect(ctx context.Context, to string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.proxy.Host)
	if err != nil {
		return nil, t.fault("no connection to it: " + inWords(err))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	if t.proxy.Scheme == "https" {
		secured := tls.Client(conn, t.tls)
		if err = secured.HandshakeContext(ctx); err != nil {
			err = t.fault(inWords(err))
		}
		conn = secured
	}
	if err == nil {
		err = t.ask(conn, to)
	}
	if stop(); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// ask is the CONNECT and its answer, which tells whether the proxy or the endpoint is
// to blame.
func (t *tunnel) ask(conn net.Conn, to string) error {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: to}, Host: to, Header: http.Header{"User-Agent": userAgentValue}}
	if err := r.Write(conn); err != nil {
		return t.fault("it closed the connection")
	}
	in := bufio.NewReader(io.LimitReader(conn, maxHeader))
	resp, err := http.ReadResponse(in, r)
	switch {
	case err != nil:
		return t.fault("it did not answer by HTTP")
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return t.fault("it wants a user name and a password, which Efferent can't give")
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("no connection: the proxy answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case in.Buffered() > 0:
		return t.fault("it sent something of its own")
	}
	return nil
}

func (t *tunnel) fault(what string) error {
	return &refusal{ErrProxy, "the proxy " + t.proxy.Host + ": " + what}
}
