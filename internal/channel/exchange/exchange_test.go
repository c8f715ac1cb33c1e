package exchange

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// proxy is what the environment names as one. It counts who comes.
var proxy counter

// TestMain names the proxy before anything has read the environment, which
// net/http does once.
func TestMain(m *testing.M) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ConnState = proxy.count
	s.Start()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(name, s.URL)
	}
	code := m.Run()
	s.Close()
	os.Exit(code)
}

// counter counts the connections to a server.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
	}
}

func (c *counter) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// TestNoProxy: a secret goes to the provider itself.
func TestNoProxy(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		a := Post(t.Context(), NewTransport(), scheme+"://no-such-host.invalid/", http.Header{}, nil)
		var dns *net.DNSError
		if !errors.As(a.Err, &dns) || a.Connected {
			t.Errorf("%s: %+v", scheme, a)
		}
	}
	if n := proxy.connections(); n != 0 {
		t.Errorf("the proxy got %d connections", n)
	}
}

// TestNoConnectionIsKept: on a kept one, a request that fails can't be told
// from one that was taken.
func TestNoConnectionIsKept(t *testing.T) {
	t.Parallel()
	var c counter
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.Close {
			t.Error("the request asks for the connection to be kept")
		}
		_, _ = io.WriteString(w, "ok")
	}))
	s.Config.ConnState = c.count
	s.Start()
	defer s.Close()
	rt := NewTransport()
	for range 3 {
		if a := Post(t.Context(), rt, s.URL, http.Header{}, []byte("x")); a.Err != nil || string(a.Body) != "ok" || !a.Connected {
			t.Errorf("%+v", a)
		}
	}
	if n := c.connections(); n != 3 {
		t.Errorf("3 exchanges had %d connections", n)
	}
}

// TestLimits: of an answer that is too long the beginning is read, and headers
// that are too long are none.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/header" {
			w.Header().Set("X-Long", strings.Repeat("a", 80<<10))
		}
		_, _ = io.WriteString(w, strings.Repeat("b", 80<<10))
	}))
	defer s.Close()
	if a := Post(t.Context(), NewTransport(), s.URL, http.Header{}, nil); a.Err != nil || len(a.Body) != 64<<10 {
		t.Errorf("%d bytes were read, %v", len(a.Body), a.Err)
	}
	if a := Post(t.Context(), NewTransport(), s.URL+"/header", http.Header{}, nil); a.Err == nil || !a.Connected {
		t.Errorf("headers of 80 KiB were read: %v", a.Status)
	}
}

// TestNoRedirect: a secret goes nowhere else.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	defer s.Close()
	if a := Post(t.Context(), NewTransport(), s.URL, http.Header{}, []byte("x")); a.Err != nil || a.Status != http.StatusTemporaryRedirect {
		t.Errorf("%+v", a)
	}
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 0 ": 0, "-1": 0, "soon": 0, "1e3": 0, "99999999999": 24 * time.Hour, "4000000000": 24 * time.Hour,
		"Tue, 24 Nov 2026 12:00:30 GMT": 30 * time.Second, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "Tue, 24 Nov 2099 11:00:00 GMT": 24 * time.Hour,
	} {
		if got := (Answer{Header: http.Header{"Retry-After": {in}}}).RetryAfter(noon); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}
