package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

var loopbackPrefixes = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// client may send anything to this machine.
func client(t testing.TB, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{AllowHTTP: AllowHTTP{all: true}, AllowPrefixes: loopbackPrefixes, Timeout: time.Minute}
	for _, f := range change {
		f(&o)
	}
	c := NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func timeout(d time.Duration) func(*Options) { return func(o *Options) { o.Timeout = d } }

func request(t testing.TB, url string) Request {
	t.Helper()
	return Request{
		URL: url, ID: "evt_1", EventType: "invoice.paid", Body: []byte(`{"any": "JSON"}`),
		Secrets: []Secret{secret(t, "whsec_aHVudGVyMg==")}, At: time.Unix(1614265330, 0),
	}
}

// endpoint serves answer until the test ends. Its handlers see their requests
// cancelled by then.
func endpoint(t testing.TB, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func TestPostSendsWhatWasSigned(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	r := request(t, url+"/in?token=t0ken")
	r.Headers = http.Header{"X-A": {"b"}, "User-Agent": {"mine"}, "Idempotency-Key": {"k"}}
	x := client(t).Post(t.Context(), r)
	if x.Status != http.StatusNoContent || x.Err != nil || x.Truncated {
		t.Fatalf("got %+v", x)
	}
	if got.Method != http.MethodPost || got.URL.String() != "/in?token=t0ken" || string(body) != string(r.Body) ||
		got.ContentLength != int64(len(body)) {
		t.Errorf("got %s %s %s", got.Method, got.URL, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Webhook-Event": "invoice.paid", "Webhook-Id": "evt_1", "Webhook-Timestamp": "1614265330",
		"X-A": "b", "User-Agent": "mine", "Accept-Encoding": "", "Idempotency-Key": "k",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if err := Verify(got.Header, body, r.At, "whsec_aHVudGVyMg=="); err != nil {
		t.Error(err)
	}
}

func TestPostAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	cases := []struct {
		name    string
		status  int
		header  string
		body    string
		want    Exchange
		verdict attempt.Verdict
		reason  string
	}{
		{"200", 200, "", "fine", Exchange{}, attempt.Delivered, ""},
		{"299", 299, "", "", Exchange{}, attempt.Delivered, ""},
		{"200 with 64 KiB", 200, "", strings.Repeat("a", 64<<10), Exchange{}, attempt.Delivered, ""},
		{"200 with more", 200, "", strings.Repeat("a", 64<<10+1), Exchange{Truncated: true}, attempt.Delivered, ""},
		{"200 is not asked when", 200, "Retry-After: 9", "", Exchange{}, attempt.Delivered, ""},
		{"301", 301, "Location: /elsewhere", "moved", Exchange{Response: "moved"}, attempt.Permanent,
			"301 Moved Permanently: redirects are not followed"},
		{"304", 304, "", "", Exchange{}, attempt.Permanent, "304 Not Modified: redirects are not followed"},
		{"307", 307, "Location: http://127.0.0.1:1/", "", Exchange{}, attempt.Permanent, "307 Temporary Redirect: redirects are not followed"},
		{"401", 401, "", "who?", Exchange{Response: "who?"}, attempt.Permanent, "401 Unauthorized"},
		{"404", 404, "Retry-After: 9", "no", Exchange{Response: "no"}, attempt.Permanent, "404 Not Found"},
		{"408", 408, "", "", Exchange{}, attempt.Retryable, "408 Request Timeout"},
		{"410", 410, "", "", Exchange{Gone: true}, attempt.Permanent, "410 Gone"},
		{"200, and no more", 200, "webhook-delivery: disable", "", Exchange{Gone: true}, attempt.Delivered, ""},
		{"500, and no more", 500, "Webhook-Delivery: Disable", "", Exchange{Gone: true}, attempt.Permanent,
			"500 Internal Server Error: the endpoint wants no more webhooks (webhook-delivery: disable)"},
		{"503, and never again", 503, "webhook-delivery: abort-message", "", Exchange{Abort: true}, attempt.Permanent,
			"503 Service Unavailable: the endpoint wants this webhook no more (webhook-delivery: abort-message)"},
		{"503, and something", 503, "webhook-delivery: later", "", Exchange{}, attempt.Retryable, "503 Service Unavailable"},
		{"425", 425, "", "", Exchange{}, attempt.Retryable, "425 Too Early"},
		{"499", 499, "", "", Exchange{}, attempt.Permanent, "499"},
		{"429", 429, "", "", Exchange{}, attempt.Retryable, "429 Too Many Requests"},
		{"429, in seconds", 429, "Retry-After: 9", "", Exchange{RetryAfter: 9 * time.Second}, attempt.Retryable, "429 Too Many Requests"},
		{"503, by date", 503, "Retry-After: Tue, 24 Nov 2026 03:01:30 GMT", "", Exchange{RetryAfter: 90 * time.Second}, attempt.Retryable,
			"503 Service Unavailable"},
		{"503, date in the past", 503, "Retry-After: Mon, 23 Nov 2026 03:00:00 GMT", "", Exchange{}, attempt.Retryable,
			"503 Service Unavailable"},
		{"503, negative", 503, "Retry-After: -9", "", Exchange{}, attempt.Retryable, "503 Service Unavailable"},
		{"503, unreadable", 503, "Retry-After: soon", "", Exchange{}, attempt.Retryable, "503 Service Unavailable"},
		{"503, without end", 503, "Retry-After: 9223372036854775807", "", Exchange{RetryAfter: 9223372036 * time.Second}, attempt.Retryable,
			"503 Service Unavailable"},
		{"500 does not ask", 500, "Retry-After: 9", "oops", Exchange{Response: "oops"}, attempt.Retryable, "500 Internal Server Error"},
		{"599", 599, "", "", Exchange{}, attempt.Retryable, "599"},
		{"999", 999, "", "", Exchange{}, attempt.Retryable, "999"},
		{"always UTF-8", 500, "", "a\xffb", Exchange{Response: "a\uFFFDb"}, attempt.Retryable, "500 Internal Server Error"},
		{"a day and more", 503, "Retry-After: 90000", "", Exchange{RetryAfter: 25 * time.Hour}, attempt.Retryable, "503 Service Unavailable"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				if name, value, found := strings.Cut(c.header, ": "); found {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			got := client(t, func(o *Options) { o.Now = func() time.Time { return now } }).Post(t.Context(), request(t, url))
			c.want.Status, c.want.Started = c.status, now
			if got != c.want {
				t.Errorf("got  %.300v\nwant %.300v", got, c.want)
			}
			if v, reason := Classify(got); v != c.verdict || reason != c.reason {
				t.Errorf("%s, %q; want %s, %q", v, reason, c.verdict, c.reason)
			}
		})
	}
}

// TestPostKeepsTheBeginning of a failure's body.
func TestPostKeepsTheBeginning(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 36<<10) // of two bytes each
	for name, c := range map[string]struct {
		limit      int // Options.Response
		body, want string
		truncated  bool
	}{
		"a KiB":                              {0, long[:1<<10], long[:1<<10], false},
		"and not more":                       {0, long[:1<<10] + "a", long[:1<<10], true},
		"of much":                            {0, long, long[:1<<10], true},
		"no half character":                  {0, "a" + long, "a" + long[:1<<10-2], true},
		"never longer for what is not UTF-8": {0, strings.Repeat("a\xff", 512), strings.Repeat("a\uFFFD", 256), false},
		"4 KiB":                              {4 << 10, long[:4<<10], long[:4<<10], false},
		"and not more than them":             {4 << 10, long[:4<<10] + "a", long[:4<<10], true},
		"never more":                         {8 << 10, long, long[:4<<10], true},
		"three bytes":                        {3, "aéé", "aé", true},
		"none":                               {-1, "a", "", true},
		"none of none":                       {-1, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(w, c.body)
			})
			x := client(t, func(o *Options) { o.Response = c.limit }).Post(t.Context(), request(t, url))
			if x.Status != 500 || x.Response != c.want || x.Truncated != c.truncated {
				t.Errorf("got %.60q of %d bytes, truncated %t; want %.60q of %d", x.Response, len(x.Response), x.Truncated, c.want, len(c.want))
			}
		})
	}
}

// An answer written by hand, on a connection that then closes.
func TestPostOddAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, answer string
		status       int
		truncated    bool
		verdict      attempt.Verdict
		says         string
	}{
		{"nothing at all", "", 0, false, attempt.Retryable, "connection was closed before an answer came"},
		{"not HTTP", "SSH-2.0-OpenSSH_9.9\r\n", 0, false, attempt.Retryable, "no answer: "},
		{"a long line that is not HTTP", strings.Repeat("a", 10<<10) + "\r\n", 0, false, attempt.Retryable, "no answer: "},
		{"endless headers", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 128<<10), 0, false, attempt.Retryable, "no answer: "},
		{"status 000", "HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n", 0, false, attempt.Retryable, "status is 000"},
		{"switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nx", 101, false, attempt.Retryable,
			"101 Switching Protocols"},
		{"early hints first", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, false, attempt.Delivered, ""},
		{"delivered, body broken off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 200, true, attempt.Delivered, ""},
		{"failed, body broken off", "HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\nabc", 500, true, attempt.Retryable,
			"500 Internal Server Error"},
		{"failed, chunk broken off", "HTTP/1.1 404 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n9", 404, true, attempt.Permanent,
			"404 Not Found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, c.answer)
				_ = conn.Close()
			})
			x := client(t).Post(t.Context(), request(t, url))
			v, reason := Classify(x)
			if x.Status != c.status || x.Truncated != c.truncated || v != c.verdict || !strings.Contains(reason, c.says) || len(reason) > 400 {
				t.Errorf("got %+v: %s, %s", x, v, reason)
			}
		})
	}
}

func TestPostRefuses(t *testing.T) {
	t.Parallel()
	asked := new(atomic.Int32)
	url := endpoint(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	cases := []struct {
		name   string
		change func(*Options)
		url    string
		want   error
		says   string
	}{
		{"http nowhere", func(o *Options) { o.AllowHTTP = AllowHTTP{} }, url, ErrPlainHTTP, "plain http to 127.0.0.1:"},
		{"http elsewhere", func(o *Options) { o.AllowHTTP = AllowHTTP{loopback: true} }, "http://a.test/?q=t0ken", ErrPlainHTTP,
			"plain http to a.test is not allowed; EFFERENT_ALLOW_HTTP says where it is"},
		{"loopback", func(o *Options) { o.AllowPrefixes = nil }, url + "/?q=t0ken", ErrBlockedAddress,
			"address 127.0.0.1 is not public; EFFERENT_ALLOW_CIDRS lists exceptions"},
		{"metadata", func(*Options) {}, "http://169.254.169.254/latest/meta-data?q=t0ken", ErrBlockedAddress,
			"address 169.254.169.254 is not public"},
		{"mapped metadata", func(*Options) {}, "http://[::ffff:169.254.169.254]/", ErrBlockedAddress, "address 169.254.169.254 is not public"},
		{"localhost by name", func(o *Options) { o.AllowPrefixes = nil }, "https://localhost:1/?q=t0ken", ErrBlockedAddress, "is not public"},
		{"no URL", func(*Options) {}, "://?q=t0ken", message.ErrMalformed, `field "url"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := client(t, c.change).Post(t.Context(), request(t, c.url))
			v, reason := Classify(x)
			if !errors.Is(x.Err, c.want) || v != attempt.Permanent || !strings.Contains(reason, c.says) || strings.Contains(reason, "t0ken") {
				t.Errorf("got %+v: %s, %s", x, v, reason)
			}
		})
	}
	r := request(t, url)
	r.Secrets = nil
	x := client(t).Post(t.Context(), r)
	if v, _ := Classify(x); v != attempt.Permanent || !errors.Is(x.Err, ErrSecretUnusable) {
		t.Errorf("without a secret: %+v", x)
	}
	if asked.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestPostReportsConnections(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	plain := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = quiet
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	for url, says := range map[string]string{
		"http://" + closed.Addr().String() + "/?q=t0ken":          "no connection: dial tcp 127.0.0.1:",
		strings.Replace(plain, "http:", "https:", 1) + "?q=t0ken": "TLS: ",
		untrusted.URL + "?q=t0ken":                                "TLS: failed to verify certificate",
		"http://nowhere.test/?q=t0ken":                            "DNS: no such host: nowhere.test",
	} {
		c := client(t, func(o *Options) { o.Resolver = resolver(nil) })
		x := c.Post(t.Context(), request(t, url))
		if v, reason := Classify(x); v != attempt.Retryable || !strings.HasPrefix(reason, says) || strings.Contains(reason, "t0ken") {
			t.Errorf("%s: got %s, %s", url, v, reason)
		}
	}
}

// What a name resolves to is checked, and only what has no allowed address at
// all is for good.
func TestPostChecksWhatNamesResolveTo(t *testing.T) {
	t.Parallel()
	url := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = down.Close()
	_, downPort, _ := net.SplitHostPort(down.Addr().String())
	cases := []struct {
		name, addresses string
		status          int
		verdict         attempt.Verdict
		says            string
	}{
		{"private", "10.0.0.5", 0, attempt.Permanent, "address 10.0.0.5 is not public"},
		{"private, of both kinds", "10.0.0.5 fd00::5", 0, attempt.Permanent, "is not public"},
		{"metadata", "fd00:ec2::254", 0, attempt.Permanent, "address fd00:ec2::254 is not public"},
		{"allowed", "127.0.0.1", 204, attempt.Delivered, ""},
		{"one allowed after a private one", "10.0.0.5 127.0.0.1", 204, attempt.Delivered, ""},
		{"one allowed before a private one", "127.0.0.1 10.0.0.5", 204, attempt.Delivered, ""},
		{"one allowed of the other kind", "fd00::5 127.0.0.1", 204, attempt.Delivered, ""},
		{"the allowed one is down", "10.0.0.5 127.0.0.1", 0, attempt.Retryable, "no connection: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from, at := resolver(strings.Fields(c.addresses)), port
			if c.status == 0 {
				at = downPort
			}
			x := client(t, func(o *Options) { o.Resolver = from }).Post(t.Context(), request(t, "http://hooks.acme.test:"+at))
			if v, reason := Classify(x); x.Status != c.status || v != c.verdict || !strings.Contains(reason, c.says) {
				t.Errorf("got %+v: %s, %s", x, v, reason)
			}
		})
	}
}

func TestPostReusesConnections(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	answers := []struct {
		status int
		size   int
	}{{204, 0}, {200, 64 << 10}, {500, 4 << 10}, {500, 64 << 10}, {302, 10}, {404, 0}}
	var n atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[int(n.Add(1)-1)%len(answers)]
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, strings.Repeat("a", answer.size))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := client(t)
	for range answers {
		if x := c.Post(t.Context(), request(t, server.URL)); x.Err != nil {
			t.Fatal(x.Err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections", opened.Load())
	}
}

func TestPostSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	var protos sync.Map
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { protos.Store(r.Proto, true) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := client(t, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots}; o.AllowHTTP = AllowHTTP{} })
	if x := c.Post(t.Context(), request(t, server.URL)); x.Status != http.StatusOK {
		t.Fatalf("got %+v", x)
	}
	if _, ok := protos.Load("HTTP/2.0"); !ok {
		t.Error("no HTTP/2")
	}
}

// A body that goes on is cut, and its connection let go.
func TestPostCutsEndlessBodies(t *testing.T) {
	t.Parallel()
	const forever = 10 * time.Minute
	cases := []struct {
		name    string
		status  int
		timeout time.Duration
		chunk   string
		flood   bool
		want    Exchange
	}{
		{"flood of 200", 200, forever, strings.Repeat("a", 1000), true, Exchange{Status: 200, Truncated: true}},
		{"flood of 500", 500, forever, strings.Repeat("a", 1000), true,
			Exchange{Status: 500, Truncated: true, Response: strings.Repeat("a", 1<<10)}},
		{"trickle of 200", 200, 2 * time.Second, "a", false, Exchange{Status: 200, Truncated: true}},
		{"trickle of 500", 500, 2 * time.Second, "a", false, Exchange{Status: 500, Truncated: true, Response: "a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(gone)
				_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.chunk)
				_ = http.NewResponseController(w).Flush()
				for c.flood && r.Context().Err() == nil {
					_, _ = io.WriteString(w, c.chunk)
				}
				<-r.Context().Done()
			})
			x := client(t, timeout(c.timeout)).Post(t.Context(), request(t, url))
			x.Started, x.Duration, x.Slow = time.Time{}, 0, false
			if x != c.want {
				t.Errorf("got %+v", x)
			}
			<-gone
		})
	}
}

func TestPostGivesUp(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	url := endpoint(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	t.Run("an answer that never begins", func(t *testing.T) {
		x := client(t, timeout(2*time.Second)).Post(t.Context(), request(t, url))
		<-arrived
		if v, reason := Classify(x); x.Interrupted || v != attempt.Retryable || reason != "no answer within 2s" {
			t.Errorf("got %+v: %s, %s", x, v, reason)
		}
	})
	t.Run("the caller ends first", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		x := client(t).Post(ctx, request(t, url))
		if v, reason := Classify(x); !x.Interrupted || x.Status != 0 || v != attempt.Retryable || reason != "interrupted before an answer came" {
			t.Errorf("got %+v: %s, %s", x, v, reason)
		}
	})
	t.Run("the caller's deadline comes first", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if x := client(t).Post(ctx, request(t, url)); !x.Interrupted {
			t.Errorf("got %+v", x)
		}
	})
}

// What the caller breaks off after the status is still an answer.
func TestPostKeepsTheStatusWhenInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c := client(t)
	c.transport.DialContext = cancelOnRead(c.transport.DialContext, cancel)
	x := c.Post(ctx, request(t, url))
	if v, _ := Classify(x); x.Interrupted || x.Status != 200 || !x.Truncated || v != attempt.Delivered {
		t.Errorf("got %+v", x)
	}
}

// A kept connection that breaks under a POST must not make net/http send it
// again, even one that the producer calls idempotent.
func TestPostNeverResends(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}
	})
	c := client(t)
	r := request(t, url)
	r.Headers = http.Header{"Idempotency-Key": {"k"}}
	if x := c.Post(t.Context(), r); x.Status != 200 {
		t.Fatalf("got %+v", x)
	}
	x := c.Post(t.Context(), r)
	if v, reason := Classify(x); x.Status != 0 || v != attempt.Retryable || !x.Lost || asked.Load() != 2 {
		t.Errorf("asked %d times, got %+v: %s", asked.Load(), x, reason)
	}
}

func TestClassifyAnExchangeThatNeverWas(t *testing.T) {
	t.Parallel()
	for _, x := range []Exchange{{}, {Err: fmt.Errorf("x")}} {
		if v, reason := Classify(x); v != attempt.Retryable || reason == "" {
			t.Errorf("%+v: %s, %q", x, v, reason)
		}
	}
}
