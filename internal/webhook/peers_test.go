package webhook

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peers is an endpoint whose connections are served by hand.
type peers struct {
	// url is where it is. Everything goes to it: dial is the Client's.
	url         string
	dial        dialFunc
	connections atomic.Int32
	requests    atomic.Int32 // that were read whole, on all connections
}

// speak is one connection's part, told the connection's number from 1.
type speak func(n int, p *peer)

// peer is the endpoint's end of one connection.
type peer struct {
	all    *peers
	conn   net.Conn
	reader *bufio.Reader
	frames *http2.Framer // nil for HTTP/1.1
}

var certificate = func() tls.Certificate {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return server.TLS.Certificates[0]
}()

// byTLS is the Client's option to trust peers that speak TLS.
func byTLS(o *Options) {
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	o.TLS = &tls.Config{RootCAs: roots}
}

// inBubble is a Client of peers in memory, within synctest.
func inBubble(t *testing.T, p *peers) *Client {
	c := client(t, byTLS, timeout(10*time.Second))
	for _, some := range []connections{c.connections, c.patient} {
		some.transport.DialContext, some.fresh.DialContext = p.dial, p.dial
	}
	t.Cleanup(synctest.Wait) // before the Client is closed, so that it can close all
	return c
}

// onLoopback listens on a real socket until the test ends.
func onLoopback(t *testing.T, h2 bool, s speak) *peers {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &peers{url: "http://" + l.Addr().String()}
	if h2 {
		p.url = "https://" + l.Addr().String()
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn, h2, s)
		}
	}()
	return p
}

// inMemory is for tests with a clock of their own.
func inMemory(h2 bool, s speak) *peers {
	p := &peers{url: "http://example.com"}
	if h2 {
		p.url = "https://example.com"
	}
	p.dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		buffered := &writesLater{Conn: theirs, later: make(chan []byte, 100)}
		go buffered.write()
		go p.serve(buffered, h2, s)
		return ours, nil
	}
	return p
}

// writesLater does not wait for its reader, as sockets do not: a pipe's two
// ends would wait for each other.
type writesLater struct {
	net.Conn
	later chan []byte
}

func (c *writesLater) Write(b []byte) (int, error) {
	c.later <- bytes.Clone(b)
	return len(b), nil
}

func (c *writesLater) write() {
	for b := range c.later {
		if _, err := c.Conn.Write(b); err != nil {
			return
		}
	}
	_ = c.Conn.Close()
}

// Close closes the pipe once all is written.
func (c *writesLater) Close() error {
	close(c.later)
	return nil
}

func (p *peers) serve(conn net.Conn, h2 bool, s speak) {
	defer conn.Close()
	n := int(p.connections.Add(1))
	if !h2 {
		s(n, &peer{all: p, conn: conn, reader: bufio.NewReader(conn)})
		return
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	reader := bufio.NewReader(secure)
	if _, err := io.ReadFull(reader, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	one := &peer{all: p, conn: secure, reader: reader, frames: http2.NewFramer(secure, reader)}
	if one.frames.WriteSettings() == nil {
		s(n, one)
	}
}

// request reads one request whole and returns its stream; 0 where there comes
// none.
func (p *peer) request() (stream uint32) {
	if p.frames == nil {
		r, err := http.ReadRequest(p.reader)
		if err != nil {
			return 0
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return 0
		}
		p.all.requests.Add(1)
		return 1
	}
	for {
		f, err := p.frames.ReadFrame()
		var failed http2.StreamError
		if err != nil && !errors.As(err, &failed) {
			return 0
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = p.frames.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = p.frames.WritePing(true, f.Data)
			}
		case *http2.DataFrame:
			if f.StreamEnded() {
				p.all.requests.Add(1)
				return f.StreamID
			}
		}
	}
}

// answer says 204.
func (p *peer) answer(stream uint32) {
	if p.frames == nil {
		_, _ = io.WriteString(p.conn, "HTTP/1.1 204 No Content\r\n\r\n")
		return
	}
	p.headers(stream, true, hpack.HeaderField{Name: ":status", Value: "204"})
}

func (p *peer) headers(stream uint32, end bool, fields ...hpack.HeaderField) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		_ = encoder.WriteField(f)
	}
	_ = p.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

// answerAll answers until the connection ends.
func (p *peer) answerAll() {
	for stream := p.request(); stream != 0; stream = p.request() {
		p.answer(stream)
	}
}

// swallow reads what comes and says nothing, until the connection ends.
func (p *peer) swallow() { _, _ = io.Copy(io.Discard, p.reader) }
