package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// wire is the connection of one SMTP session. It notes what was the first to
// fail on it. go-mail reports a lost answer to a mail's last line in the same
// way as a last line that could not be sent; only the second is known not to
// have been taken.
type wire struct {
	net.Conn
	ctx      context.Context // of the hand-over: the connection ends with it
	late     context.Context // the same, once the mail's end is sent
	connect  func(ctx context.Context, network, address string) (net.Conn, error)
	tls      *tls.Config
	implicit bool        // TLS from the first byte
	stop     func() bool // no longer watches ctx
	broken   brokenBy
}

type brokenBy byte

const (
	byNothing brokenBy = iota
	byRead
	byWrite
)

// dial is go-mail's way to a connection; dialing is over when its ctx is.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.Conn = conn
	w.stop = context.AfterFunc(w.ctx, func() { conn.Close() })
	if !w.implicit {
		return w, nil
	}
	secure := tls.Client(w, w.tls)
	return secure, secure.HandshakeContext(ctx)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.note(byRead, err)
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.note(byWrite, err)
	if err != nil {
		w.Conn.Close() // or go-mail waits for an answer to what was never sent
	}
	return n, err
}

func (w *wire) note(what brokenBy, err error) {
	if err != nil && w.broken == byNothing {
		w.broken = what
	}
}

// await waits for the answer to the mail's end.
func (w *wire) await() {
	if !w.stop() {
		return // it is over already
	}
	w.stop = context.AfterFunc(w.late, func() { w.Conn.Close() })
	_ = w.Conn.SetDeadline(time.Time{})
}

// renew has a connection that is kept end with another hand-over.
func (w *wire) renew(ctx, late context.Context) {
	w.ctx, w.late, w.broken = ctx, late, byNothing
	w.stop = context.AfterFunc(ctx, func() { w.Conn.Close() })
}

// hurry gives what is left of the session a short time.
func (w *wire) hurry(patience time.Duration) {
	_ = w.Conn.SetDeadline(time.Now().Add(patience))
}

func (w *wire) close() {
	if w.Conn != nil {
		w.stop()
		w.Conn.Close()
	}
}
