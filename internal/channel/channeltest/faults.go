package channeltest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/channel"
)

// Faults breaks an exchange in every way: it means the same to every provider,
// but for what each class leads to. Sender makes the sender to a provider at a
// base URL, and a hand-over that it takes.
func Faults(t *testing.T, sender func(base string) (channel.Sender, channel.Handover)) {
	for _, c := range []struct {
		fault    Fault
		want     channel.Outcome
		requests int
	}{
		{Refuse, channel.Outcome{Class: channel.Transient, Reason: "no connection: connection refused"}, 0},
		{NoHost, channel.Outcome{Class: channel.Transient, Reason: "no connection: the host's name"}, 0},
		{Gone, channel.Outcome{Class: channel.Transient, Reason: "cancelled"}, 0},
		{Untrusted, channel.Outcome{Class: channel.Configuration, Reason: "certificate is not trusted"}, 0},
		{Plain, channel.Outcome{Class: channel.Configuration, Reason: "does not speak TLS"}, 0},
		{Cut, channel.Outcome{Class: channel.Unknown, Reason: "connection closed after the request was handed over"}, 1},
		{Hang, channel.Outcome{Class: channel.Unknown, Reason: "cancelled after the request was handed over"}, 1},
		{CutMiddle, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "connection closed after the request was handed over"}, 1},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			t.Parallel()
			p, ctx := Start(t, Answer{Status: 200, Body: "ok", Fault: c.fault})
			s, h := sender(p.URL)
			Check(t, s.Send(ctx, h), c.want)
			if requests, _ := p.Seen(); len(requests) != c.requests {
				t.Errorf("got %d requests, want %d", len(requests), c.requests)
			}
		})
	}
}

// TimeOut: a time-out is told as one, before and after the hand-over.
func TimeOut(t *testing.T, sender func(base string) (channel.Sender, channel.Handover)) {
	release := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	defer close(release)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		<-release
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s, h := sender("http://" + l.Addr().String())
	Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Unknown, Reason: "time-out after the request was handed over"})
	Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Transient, Reason: "no connection: time-out"})
}
