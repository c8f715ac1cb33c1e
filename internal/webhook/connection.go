package webhook

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxIdle is how long a connection is kept without use. Of the servers in
	// wide use Node.js lets go first, after 5 s ("server.keepAliveTimeout"); a
	// second is left for the way there. net/http looks at the wall clock before
	// it uses a connection, so one that was kept over a freeze of the process
	// (Lambda's, between invocations) is too old as well.
	maxIdle = 4 * time.Second
	// mostKept is how many connections are kept.
	mostKept = 512
	// maxHeader bounds an answer's headers.
	maxHeader = 64 << 10
)

// connections are those of exchanges that may take equally long. Others can't
// share them: what bounds a connection would end the longer exchanges on it.
type connections struct {
	transport *http.Transport
	fresh     *http.Transport // the same, with a new connection for each request
}

// newConnections keeps so many connections at most.
func newConnections(o Options, timeout time.Duration, kept int) connections {
	c := connections{transport: newTransport(o, timeout, kept)}
	c.fresh = c.transport.Clone()
	c.fresh.DisableKeepAlives = true
	return c
}

func newTransport(o Options, timeout time.Duration, kept int) *http.Transport {
	// An HTTP/2 connection that is silent for a while is pinged, and dropped
	// without an answer: in nine tenths of an exchange's time, so that what waits
	// on it learns that it is lost. Most of this is for the answer, since servers
	// with one thread answer no ping while a handler holds it.
	ask, wait := timeout/5, timeout/10*7
	dial := newGuard(o.AllowPrefixes, o.Resolver, timeout).dial
	if o.Proxy != nil {
		dial = newTunnel(o, timeout).dial
	}
	return &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        o.TLS.Clone(), // the transport adds to it
		TLSHandshakeTimeout:    timeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // an answer is read as it is, and nothing asked of it
		MaxIdleConns:           kept,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: ask, PingTimeout: wait, WriteByteTimeout: wait},
	}
}

// fate is what became of a request that got no answer.
type fate int

const (
	failed      fate = iota
	unprocessed      // provably: it may be sent again
	lost             // written to a kept connection, which closed without a byte of an answer
)

// watch sees what a request meets on its way. net/http calls it from several
// goroutines, also after the request has failed.
type watch struct {
	got, kept, stale bool // about its connection; only written before RoundTrip returns
	wrote, answered  atomic.Bool
}

func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              w.gotConn,
		WroteHeaders:         func() { w.wrote.Store(true) },
		GotFirstResponseByte: func() { w.answered.Store(true) },
	}
}

// gotConn closes a kept connection that its other end has closed meanwhile,
// before anything is written to it: net/http may not have seen that yet.
func (w *watch) gotConn(info httptrace.GotConnInfo) {
	w.got, w.kept = true, info.Reused
	w.stale = info.Reused && isStale(info.Conn, info.WasIdle)
}

// fate tells what became of the request by the error that it ended with.
func (w *watch) fate(err error) fate {
	switch {
	case !w.got:
		return failed
	case w.stale, !w.wrote.Load(), notProcessed.MatchString(err.Error()):
		return unprocessed
	case w.kept && !w.answered.Load() && !streamFailed(err):
		return lost
	}
	return failed
}

// notProcessed is how net/http says, in texts only, that the endpoint did not
// look at a request (RFC 9113, section 8.7): its stream is above a GOAWAY's
// last one, or was refused by REFUSED_STREAM. What the endpoint itself says
// comes later in these texts.
var notProcessed = regexp.MustCompile(`^http2: Transport(: cannot retry err ` +
	`\[(http2: Transport received Server's graceful shutdown GOAWAY\]|stream error: stream ID \d+; REFUSED_STREAM;)` +
	`| received GOAWAY from server ErrCode:)`)

// streamFailed reports whether the endpoint reset the request's own stream,
// and not the connection.
func streamFailed(err error) bool {
	return strings.HasPrefix(strings.TrimPrefix(err.Error(), "http2: Transport: cannot retry err ["), "stream error: ")
}

// isStale reports whether nothing can be sent on a connection any more, and
// closes it then. Whether its other end has closed it is asked only while it
// is idle: while others wait for answers on it, these may still come.
func isStale(conn net.Conn, idle bool) bool {
	secure, ok := conn.(interface{ NetConn() net.Conn }) // *tls.Conn
	if ok {
		conn = secure.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var gone bool
	if err := raw.Control(func(fd uintptr) { gone = idle && hungUp(fd) }); err != nil {
		return true // closed here already
	}
	if gone {
		_ = conn.Close()
	}
	return gone
}
