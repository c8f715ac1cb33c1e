package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/efferent/efferent/internal/attempt"
)

// reset closes a connection by a RST, not a FIN.
func reset(p *peer) {
	_ = p.conn.(*net.TCPConn).SetLinger(0)
}

// goAway says that streams above last were not looked at, and waits for the
// client to leave.
func goAway(last uint32, code http2.ErrCode, debug string) func(*peer, uint32) {
	return func(p *peer, _ uint32) {
		_ = p.frames.WriteGoAway(last, code, []byte(debug))
	}
}

func rst(code http2.ErrCode) func(*peer, uint32) {
	return func(p *peer, stream uint32) {
		_ = p.frames.WriteRSTStream(stream, code)
		p.answerAll()
	}
}

// TestPostOnAKeptConnection sends two webhooks. The first connection answers
// one, reads the other whole, and then does something else; other connections
// answer all.
func TestPostOnAKeptConnection(t *testing.T) {
	t.Parallel()
	forged := "x\" http2: Transport: cannot retry err [http2: Transport received Server's graceful shutdown GOAWAY] after"
	nothing := func(*peer, uint32) {}
	cases := []struct {
		name  string
		h2    bool
		then  func(p *peer, stream uint32)
		again bool // it is sent again within Post, on a new connection
		lost  bool
		says  string
	}{
		{"closed", false, nothing, false, true, "the connection was closed before an answer came"},
		{"reset", false, func(p *peer, _ uint32) { reset(p) }, false, true, "no answer: "},
		{"closed within the answer", false, func(p *peer, _ uint32) { _, _ = io.WriteString(p.conn, "HTTP/1.1 2") }, false, false,
			"no answer: what came was not HTTP"},
		{"no HTTP", false, func(p *peer, _ uint32) { _, _ = io.WriteString(p.conn, "s3cret\r\n\r\n") }, false, false,
			"no answer: what came was not HTTP"},
		{"no encoding that HTTP has", false, func(p *peer, _ uint32) {
			_, _ = io.WriteString(p.conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: s3cret\r\n\r\n")
		}, false, false, "no answer: net/http: HTTP/1.x transport connection broken: unsupported transfer encoding"},
		{"closed", true, nothing, false, true, "the connection was closed before an answer came"},
		{"GOAWAY before it", true, goAway(1, http2.ErrCodeNo, ""), true, false, ""},
		{"GOAWAY before it, with an error", true, goAway(1, http2.ErrCodeEnhanceYourCalm, "s3cret"), true, false, ""},
		{"GOAWAY after it, and closed", true, goAway(3, http2.ErrCodeNo, "s3cret"), false, true,
			"the connection was closed before an answer came"},
		{"GOAWAY that says it was another", true, goAway(3, http2.ErrCodeNo, forged), false, true,
			"the connection was closed before an answer came"},
		{"REFUSED_STREAM", true, rst(http2.ErrCodeRefusedStream), true, false, ""},
		{"INTERNAL_ERROR", true, rst(http2.ErrCodeInternal), false, false, "no answer: stream error: stream ID 3; INTERNAL_ERROR"},
		{"PROTOCOL_ERROR", true, rst(http2.ErrCodeProtocol), false, false, "PROTOCOL_ERROR"},
		{"not HTTP/2", true, func(p *peer, _ uint32) { _, _ = io.WriteString(p.conn, strings.Repeat("s3cret", 10)) }, false, true, "no answer: "},
	}
	for _, c := range cases {
		name := c.name + ", HTTP/1.1"
		if c.h2 {
			name = c.name + ", HTTP/2"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := onLoopback(t, c.h2, func(n int, p *peer) {
				if n > 1 {
					p.answerAll()
					return
				}
				p.answer(p.request())
				c.then(p, p.request())
			})
			sender := client(t, byTLS)
			if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 {
				t.Fatalf("the first: %+v", x)
			}
			x := sender.Post(t.Context(), request(t, p.url))
			v, reason := Classify(x)
			want, sent, connections := attempt.Retryable, int32(2), int32(1)
			if c.again {
				want, sent, connections = attempt.Delivered, 3, 2
			}
			if v != want || x.Lost != c.lost || !strings.HasPrefix(reason, c.says) && !strings.HasSuffix(c.says, "_ERROR") ||
				!strings.Contains(reason, c.says) || strings.Contains(reason, "s3cret") {
				t.Errorf("got %+v: %s, %q", x, v, reason)
			}
			if p.requests.Load() != sent || p.connections.Load() != connections {
				t.Errorf("%d requests on %d connections, want %d on %d", p.requests.Load(), p.connections.Load(), sent, connections)
			}
		})
	}
}

// TestPostOnANewConnection: an endpoint that takes no request costs an attempt,
// and at most one more request.
func TestPostOnANewConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		h2    bool
		then  func(p *peer, stream uint32)
		tries int32
	}{
		{"closed", false, func(*peer, uint32) {}, 1},
		{"closed by HTTP/2", true, func(*peer, uint32) {}, 1},
		{"GOAWAY", true, goAway(0, http2.ErrCodeNo, ""), 2},
		{"GOAWAY with an error", true, goAway(0, http2.ErrCodeEnhanceYourCalm, ""), 2},
		{"REFUSED_STREAM", true, rst(http2.ErrCodeRefusedStream), 2},
		{"PROTOCOL_ERROR", true, rst(http2.ErrCodeProtocol), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := onLoopback(t, c.h2, func(_ int, p *peer) { c.then(p, p.request()) })
			x := client(t, byTLS).Post(t.Context(), request(t, p.url))
			if v, _ := Classify(x); v != attempt.Retryable || x.Lost {
				t.Errorf("got %+v", x)
			}
			if p.requests.Load() != c.tries || p.connections.Load() != c.tries {
				t.Errorf("%d requests on %d connections, want %d of each", p.requests.Load(), p.connections.Load(), c.tries)
			}
		})
	}
}

// What is sent again goes out on a connection that nothing was sent on before.
func TestPostSendsAgainOnANewConnection(t *testing.T) {
	t.Parallel()
	p := onLoopback(t, true, func(_ int, p *peer) {
		for stream := p.request(); stream != 0; stream = p.request() {
			_ = p.frames.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		}
	})
	sender := client(t, byTLS)
	for range 3 {
		if x := sender.Post(t.Context(), request(t, p.url)); x.Err == nil || x.Lost {
			t.Errorf("got %+v", x)
		}
	}
	if p.requests.Load() != 6 || p.connections.Load() != 4 { // one is kept
		t.Errorf("%d requests on %d connections", p.requests.Load(), p.connections.Load())
	}
}

func TestFate(t *testing.T) {
	t.Parallel()
	const goneAway = "http2: Transport: cannot retry err [http2: Transport received Server's graceful shutdown GOAWAY] after"
	for _, c := range []struct {
		name, err                         string
		got, kept, stale, wrote, answered bool
		want                              fate
	}{
		{name: "no connection", err: "dial tcp", want: failed},
		{name: "closed before anything was written", err: "EOF", got: true, kept: true, want: unprocessed},
		{name: "seen to be closed, and written to in vain", err: "EOF", got: true, kept: true, stale: true, wrote: true, want: unprocessed},
		{name: "GOAWAY", err: goneAway, got: true, kept: true, wrote: true, want: unprocessed},
		{name: "GOAWAY on a new connection", err: goneAway, got: true, wrote: true, want: unprocessed},
		{name: "quoted", err: "x " + goneAway, got: true, wrote: true, want: failed},
		{name: "closed", err: "EOF", got: true, kept: true, wrote: true, want: lost},
		{name: "closed, and new", err: "EOF", got: true, wrote: true, want: failed},
		{name: "closed in the answer", err: "EOF", got: true, kept: true, wrote: true, answered: true, want: failed},
		{name: "reset", err: "stream error: stream ID 3; CANCEL", got: true, kept: true, wrote: true, want: failed},
	} {
		w := &watch{got: c.got, kept: c.kept, stale: c.stale}
		w.wrote.Store(c.wrote)
		w.answered.Store(c.answered)
		if got := w.fate(errors.New(c.err)); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// sleepyConn is a connection whose reader sleeps on when the other end closes
// it, as in a process that was frozen.
type sleepyConn struct {
	*net.TCPConn
	over   chan<- struct{}
	closed chan struct{}
	once   sync.Once
}

func (c *sleepyConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if err != nil { // EOF or a reset
		select {
		case c.over <- struct{}{}:
		default:
		}
		<-c.closed
	}
	return n, err
}

func (c *sleepyConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.TCPConn.Close()
}

// A kept connection that was closed while the process slept costs nothing.
func TestPostAfterAFreeze(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells that the other end has closed")
	}
	p := onLoopback(t, false, func(n int, p *peer) {
		p.answer(p.request())
		if n > 1 {
			p.answerAll()
		}
	})
	sender := client(t)
	closed := make(chan struct{}, 1)
	dial := sender.transport.DialContext
	sender.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &sleepyConn{TCPConn: conn.(*net.TCPConn), over: closed, closed: make(chan struct{})}, nil
	}
	for i := range 2 {
		if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 || x.Lost {
			t.Fatalf("got %+v", x)
		}
		if i == 0 {
			<-closed
		}
	}
	if p.requests.Load() != 2 || p.connections.Load() != 2 {
		t.Errorf("%d requests on %d connections", p.requests.Load(), p.connections.Load())
	}
}

// An idle connection is looked at before it is used, beneath TLS too. One that
// others wait on is left to them.
func TestIsStale(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells that the other end has closed")
	}
	leave := make(chan struct{})
	p := onLoopback(t, false, func(_ int, p *peer) {
		<-leave
		_, _ = io.WriteString(p.conn, "what is left to read does not matter")
	})
	raw, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	conn := tls.Client(raw, &tls.Config{ServerName: "example.com"})
	if isStale(conn, true) || isStale(raw, true) {
		t.Error("an open connection is stale")
	}
	close(leave)
	_, _ = io.CopyN(io.Discard, raw, 10)
	for !isStale(raw, true) { // its end is on the way
		runtime.Gosched()
	}
	if !isStale(conn, false) || !isStale(raw, false) {
		t.Error("a connection that is closed here is not stale")
	}
	ours, _ := net.Pipe()
	if isStale(ours, true) {
		t.Error("what is no socket is stale")
	}
}

// post sends many webhooks at once.
func post(t *testing.T, c *Client, url string, n int) []Exchange {
	all := make([]Exchange, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = c.Post(t.Context(), request(t, url)) })
	}
	wg.Wait()
	return all
}

// A connection that answers nothing any more, pings neither, is lost to all
// that wait on it before their time is out, and to nobody else.
func TestPostLeavesADeadConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inMemory(true, func(n int, p *peer) {
			if n > 1 {
				p.answerAll()
				return
			}
			p.answer(p.request())
			p.swallow()
		})
		sender := inBubble(t, p)
		if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 {
			t.Fatalf("the first: %+v", x)
		}
		for _, x := range post(t, sender, p.url, 3) {
			if v, reason := Classify(x); !x.Lost || v != attempt.Retryable || reason != "the connection did not answer any more" {
				t.Errorf("got %+v: %s", x, reason)
			}
		}
		if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 || p.connections.Load() != 2 {
			t.Errorf("got %+v on connection %d", x, p.connections.Load())
		}
	})
}

// A slow handler is no dead connection: others go on on it, and the next too.
func TestPostKeepsASlowConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inMemory(true, func(_ int, p *peer) {
			p.answer(p.request())
			_ = p.request() // never answered, pings are
			p.answerAll()
		})
		sender := inBubble(t, p)
		sender.Post(t.Context(), request(t, p.url))
		slow := make(chan Exchange)
		go func() { slow <- sender.Post(t.Context(), request(t, p.url)) }()
		synctest.Wait()
		<-time.After(3 * time.Second)
		if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 {
			t.Errorf("beside the slow one: %+v", x)
		}
		if x := <-slow; x.Status != 0 || x.Lost || x.Err.Error() != "no answer within 10s" {
			t.Errorf("the slow one: %+v", x)
		}
		if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 || p.connections.Load() != 1 {
			t.Errorf("after it: %+v on connection %d", x, p.connections.Load())
		}
	})
}

// A server with one thread answers no ping while a handler runs.
func TestPostWaitsForABusyServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inMemory(true, func(_ int, p *peer) {
			p.answer(p.request())
			stream := p.request()
			<-time.After(7 * time.Second)
			p.answer(stream)
			p.answerAll()
		})
		sender := inBubble(t, p)
		for range 2 {
			if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 || p.connections.Load() != 1 {
				t.Errorf("got %+v on connection %d", x, p.connections.Load())
			}
		}
	})
}

// Over HTTP/1.1 a connection that ran out of time once is not used again.
func TestPostLeavesASilentConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inMemory(false, func(n int, p *peer) {
			p.answer(p.request())
			if n == 1 {
				p.swallow()
			}
		})
		sender := inBubble(t, p)
		for i, want := range []int{204, 0, 204} {
			if x := sender.Post(t.Context(), request(t, p.url)); x.Status != want || x.Lost {
				t.Errorf("%d: got %+v", i, x)
			}
		}
		if p.connections.Load() != 2 {
			t.Errorf("%d connections", p.connections.Load())
		}
	})
}

// Connections are kept for less than the 5 s after which Node.js closes them.
func TestPostKeepsConnectionsForSeconds(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := inMemory(h2, func(_ int, p *peer) { p.answerAll() })
				sender := inBubble(t, p)
				for idle, connections := range []int32{1, 1, 1, 1, 1, 2} {
					if idle == 4 {
						continue // on the edge
					}
					<-time.After(time.Duration(idle) * time.Second)
					if x := sender.Post(t.Context(), request(t, p.url)); x.Status != 204 || p.connections.Load() != connections {
						t.Errorf("after %d s: %+v, %d connections", idle, x, p.connections.Load())
					}
				}
			})
		})
	}
}

// Headers of up to 64 KiB are read.
func TestPostBoundsHeaders(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for size, status := range map[int]int{32 << 10: 200, 96 << 10: 0} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Long", strings.Repeat("a", size))
				}))
				server.EnableHTTP2 = h2
				server.StartTLS()
				t.Cleanup(server.Close)
				if x := client(t, byTLS).Post(t.Context(), request(t, server.URL)); x.Status != status {
					t.Errorf("%d bytes: got %+v", size, x)
				}
			})
		}
	}
}

// net/http reads the environment once, so this is a process of its own.
func TestPostUsesNoProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if os.Getenv("EFFERENT_TEST_PROXY") == "" {
		var asked atomic.Int32
		proxy := endpoint(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		again.Env = append(os.Environ(), "EFFERENT_TEST_PROXY=1", "NO_PROXY=", "no_proxy=")
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
			again.Env = append(again.Env, name+"="+proxy)
		}
		if out, err := again.CombinedOutput(); err != nil || asked.Load() != 0 {
			t.Errorf("the proxy was asked %d times, %v: %s", asked.Load(), err, out)
		}
		return
	}
	url := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	c := client(t, func(o *Options) { o.Resolver = resolver([]string{"127.0.0.1"}) })
	// net/http never asks a proxy for loopback names, so this one looks public.
	if x := c.Post(t.Context(), request(t, "http://hooks.acme.test:"+port)); x.Status != http.StatusNoContent {
		t.Errorf("got %+v", x)
	}
}
