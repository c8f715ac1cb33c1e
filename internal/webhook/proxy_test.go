package webhook

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
)

// proxy is one that connects to anything by way of a single address, and notes what it
// was asked for. refusals are its answers to what it does not connect to.
type proxy struct {
	to       string
	refusals map[string]int // by the host and port that it is asked for
	mu       sync.Mutex
	asked    []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	if status := p.refusals[r.Host]; status != 0 {
		w.WriteHeader(status)
		return
	}
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(out, in) }()
	_, _ = io.Copy(in, out)
}

func (p *proxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// start serves p until the test ends; by is what has a Client use it.
func (p *proxy) start(t *testing.T) (by func(*Options)) {
	t.Helper()
	at, err := ParseProxy(endpoint(t, p.ServeHTTP))
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.Proxy = at }
}

func resolving(o *Options) { o.ProxyResolves = true }

func named(addresses ...string) func(*Options) {
	return func(o *Options) { o.Resolver = resolver(addresses) }
}

func TestPostByAProxy(t *testing.T) {
	t.Parallel()
	target := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	at := strings.TrimPrefix(target, "http://")
	_, port, _ := net.SplitHostPort(at)
	cases := map[string]struct {
		url     string
		how     []func(*Options)
		refuses map[string]int
		verdict attempt.Verdict
		says    string
		asked   string
		ours    bool
	}{
		"by an address that was checked": {url: "http://hooks.acme.test:" + port, how: []func(*Options){named("127.0.0.1")},
			verdict: attempt.Delivered, asked: "CONNECT 127.0.0.1:" + port},
		"the second address": {url: "http://hooks.acme.test:1", how: []func(*Options){named("127.0.0.1", "127.0.0.2")},
			refuses: map[string]int{"127.0.0.1:1": 502}, verdict: attempt.Delivered, asked: "CONNECT 127.0.0.1:1 CONNECT 127.0.0.2:1"},
		"a private address": {url: "http://hooks.acme.test:1", how: []func(*Options){named("10.0.0.5")},
			verdict: attempt.Permanent, says: "address 10.0.0.5 is not public"},
		"not the private one of two": {url: "http://hooks.acme.test:1", how: []func(*Options){named("10.0.0.5", "127.0.0.1")},
			verdict: attempt.Delivered, asked: "CONNECT 127.0.0.1:1"},
		"an address in the URL": {url: "http://169.254.169.254/", verdict: attempt.Permanent, says: "169.254.169.254 is not public"},
		"by name, if it resolves": {url: "http://hooks.acme.test:1", how: []func(*Options){resolving},
			verdict: attempt.Delivered, asked: "CONNECT hooks.acme.test:1"},
		"an address, if it resolves": {url: "http://10.0.0.5:1", how: []func(*Options){resolving},
			verdict: attempt.Permanent, says: "10.0.0.5 is not public"},
		"its own loopback": {url: "http://localhost:1", how: []func(*Options){resolving},
			verdict: attempt.Permanent, says: "localhost is not a public name"},
		"half an address": {url: "http://127.1:1", how: []func(*Options){resolving},
			verdict: attempt.Permanent, says: "127.1 is not a public name"},
		"a number": {url: "http://2130706433:1", how: []func(*Options){resolving},
			verdict: attempt.Permanent, says: "not a public name"},
		"in base 16": {url: "http://0x7f000001:1", how: []func(*Options){resolving},
			verdict: attempt.Permanent, says: "not a public name"},
		"its rules": {url: "http://hooks.acme.test:1", how: []func(*Options){resolving}, refuses: map[string]int{"hooks.acme.test:1": 403},
			verdict: attempt.Retryable, says: "no connection: the proxy answered 403 Forbidden", asked: "CONNECT hooks.acme.test:1"},
		"its password": {url: "http://hooks.acme.test:1", how: []func(*Options){resolving}, refuses: map[string]int{"hooks.acme.test:1": 407},
			verdict: attempt.Retryable, says: "wants a user name and a password", asked: "CONNECT hooks.acme.test:1", ours: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &proxy{to: at, refusals: c.refuses}
			x := client(t, append(c.how, p.start(t))...).Post(t.Context(), request(t, c.url))
			v, reason := Classify(x)
			if got := strings.Join(p.requests(), " "); v != c.verdict || !strings.Contains(reason, c.says) || got != c.asked {
				t.Errorf("got %+v: %s, %s; the proxy was asked %q", x, v, reason, got)
			}
			if refused := v == attempt.Retryable; x.Ours != c.ours || x.Unreachable != (refused && !c.ours) {
				t.Errorf("who is to blame? %+v", x)
			}
		})
	}
}

// TestTheProxyIsToBlame where the endpoint was never asked: that costs no attempt.
func TestTheProxyIsToBlame(t *testing.T) {
	t.Parallel()
	gone := endpoint(t, nil)
	down := httptest.NewServer(nil)
	down.Close()
	for name, c := range map[string]struct{ at, says string }{
		"it is down": {down.URL, "no connection to it"},
		"it is none": {serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n\r\n") }), "did not answer by HTTP"},
		"it closes":  {serve(t, func(net.Conn) {}), "did not answer by HTTP"},
		"it talks":   {serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhello") }), "something of its own"},
		"no TLS":     {strings.Replace(gone, "http:", "https:", 1), "TLS: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := ParseProxy(c.at)
			if err != nil {
				t.Fatal(err)
			}
			x := client(t, named("127.0.0.1"), func(o *Options) { o.Proxy = at }).Post(t.Context(), request(t, "http://hooks.acme.test"))
			if _, reason := Classify(x); !x.Ours || x.Unreachable || !strings.Contains(reason, "the proxy "+at.Host+": ") ||
				!strings.Contains(reason, c.says) {
				t.Errorf("got %+v: %s", x, reason)
			}
		})
	}
}

// serve answers what asks for a connection.
func serve(t *testing.T, answer func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			answer(c)
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestTLSThroughAProxyOverTLS: the endpoint's certificate is checked against its own
// name, the proxy's against its own, and connections are kept.
func TestTLSThroughAProxyOverTLS(t *testing.T) {
	t.Parallel()
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(target.Close)
	p := &proxy{to: strings.TrimPrefix(target.URL, "https://")}
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool() // both have httptest's certificate, for example.com and 127.0.0.1
	roots.AddCert(target.Certificate())
	at, err := ParseProxy(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, named("127.0.0.1"), func(o *Options) { o.Proxy, o.TLS = at, &tls.Config{RootCAs: roots} })
	for range 2 {
		if x := c.Post(t.Context(), request(t, "https://example.com")); x.Status != http.StatusNoContent {
			t.Errorf("got %+v", x)
		}
	}
	if x := c.Post(t.Context(), request(t, "https://another.test")); !x.Unreachable || x.Ours || !strings.Contains(x.Err.Error(), "TLS: ") {
		t.Errorf("got %+v", x)
	}
	if got := p.requests(); !slices.Equal(got, []string{"CONNECT 127.0.0.1:443", "CONNECT 127.0.0.1:443"}) {
		t.Errorf("the proxy was asked %q", got)
	}
}

func TestParseProxy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "http://proxy.internal:3128": "http://proxy.internal:3128", "http://10.0.0.1": "http://10.0.0.1:80",
		"https://proxy.internal/": "https://proxy.internal:443", "http://[fd00::1]:8080": "http://[fd00::1]:8080",
	} {
		got, err := ParseProxy(text)
		if err != nil || got == nil && want != "" || got != nil && got.String() != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"proxy.internal:3128": "such as", "socks5://a:1": "such as", "http://": "such as", "http://user:hush@a:1": "no user name or password",
		"http://a:1/path": "nothing behind", "http://a:1?q": "nothing behind", "http://a:70000": "65535", "http://a:0": "65535",
		"http://\x00": "such as",
	} {
		if u, err := ParseProxy(text); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allowed, url string
		want         bool
	}{
		{"", "https://a.test:22", true}, {"all", "https://a.test:22", true}, {"443", "https://a.test", true}, {"443", "http://a.test", false},
		{"80", "http://a.test", true}, {"443,8000-8010", "https://a.test:8000", true}, {"443, 8000-8010", "https://a.test:8010", true},
		{"443,8000-8010", "https://a.test:8011", false}, {"443,8000-8010", "https://a.test:7999", false}, {"443", "https://a.test:4430", false},
	} {
		ports, err := ParsePorts(c.allowed)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := checkPort(ports, u) == nil; got != c.want {
			t.Errorf("%q allows %s: %v", c.allowed, c.url, got)
		}
	}
	for _, bad := range []string{"0", "65536", "https", "443,", "9-8", "1-", "-1", "443;80"} {
		if ports, err := ParsePorts(bad); err == nil {
			t.Errorf("%q is %v", bad, ports)
		}
	}
}

// TestPostRefusesPorts for good, whatever lies behind them, and names the setting.
func TestPostRefusesPorts(t *testing.T) {
	t.Parallel()
	p := &proxy{}
	for name, how := range map[string]func(*Options){"directly": named("127.0.0.1"), "by a proxy": p.start(t)} {
		x := client(t, how, func(o *Options) { o.AllowPorts = []PortRange{{443, 443}} }).Post(t.Context(), request(t, "https://a.test:25/x"))
		if v, reason := Classify(x); v != attempt.Permanent || !strings.Contains(reason, "port 25") ||
			!strings.Contains(reason, "EFFERENT_ALLOW_PORTS") ||
			len(p.requests()) != 0 {
			t.Errorf("%s: got %+v: %s, %s", name, x, v, reason)
		}
	}
}
