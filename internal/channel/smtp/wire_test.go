package smtp

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestEmailTimeOut tells a time-out as one where nothing was handed over.
func TestEmailTimeOut(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]channel.Outcome{
		"EHLO": {Class: channel.Transient, Reason: "no connection: time-out"},
		"RCPT": {Class: channel.Transient, Reason: "connection lost at RCPT TO"},
		".":    {Class: channel.Unknown, Reason: "it may have been taken"},
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{hang: at}
			late := lateContext{m.start(t), make(chan struct{})}
			m.giveUp = func() { close(late.done) }
			channeltest.Check(t, m.sender(channel.EmailConfig{}).Send(late, aMail()), want)
		})
	}
}

// lateContext is one whose deadline is over when done is closed.
type lateContext struct {
	context.Context
	done chan struct{}
}

func (l lateContext) Done() <-chan struct{} { return l.done }

func (l lateContext) Err() error {
	select {
	case <-l.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// broken is a connection whose n-th write and all later ones fail.
type broken struct {
	net.Conn
	good int
}

func (b *broken) Write(p []byte) (int, error) {
	if b.good--; b.good < 0 {
		return 0, errors.New("broken pipe")
	}
	return b.Conn.Write(p)
}

// TestEmailThatCouldNotBeWritten breaks each of the writes of a session: before
// the last of the mail went out it can't have been taken.
func TestEmailThatCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	for good := 0; ; good++ {
		m := &mailServer{}
		ctx := m.start(t)
		s := m.sender(channel.EmailConfig{})
		var conn *broken
		s.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			conn = &broken{c, good}
			return conn, err
		}
		got := s.Send(ctx, aMail())
		_, mails := m.got()
		if got.Sent() {
			if len(mails) != 1 || good < 5 {
				t.Errorf("with %d writes it is sent, and the server has %d mails", good, len(mails))
			}
			return
		}
		if got.Class != channel.Transient || len(mails) != 0 {
			t.Errorf("with %d writes: %+v, and the server has %d mails", good, got, len(mails))
		}
	}
}
