package smtp

import (
	"bufio"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestLateAnswer: what the server says of the mail's end is waited for, for as long
// as the caller has time, and nothing else is for so long.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slow string // the verb that is answered late
		late time.Duration
		has  time.Duration // the caller's time; 0 for no end
		want channel.Outcome
	}{
		"half a minute":       {".", 30 * time.Second, 0, channel.Outcome{Status: 250}},
		"nine minutes":        {".", 9 * time.Minute, 0, channel.Outcome{Status: 250}},
		"eleven minutes":      {".", 11 * time.Minute, 0, channel.Outcome{Class: channel.Unknown, Reason: "it may have been taken"}},
		"within the caller's": {".", 25 * time.Second, 26 * time.Second, channel.Outcome{Status: 250}},
		"after the caller's": {".", 30 * time.Second, 26 * time.Second, channel.Outcome{Class: channel.Unknown,
			Reason: "it may have been taken"}},
		"before the mail's end": {"RCPT", 25 * time.Second, 0, channel.Outcome{Class: channel.Transient, Reason: "connection lost at RCPT TO"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				var servers sync.WaitGroup
				if c.has > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, c.has)
					defer stop()
				}
				s := New(channel.EmailConfig{From: channel.DefaultFrom, Host: "localhost", Port: 25, TLS: channel.TLSNone}, nil, time.Now)
				s.dial = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					servers.Go(func() { answerLate(far, c.slow, c.late) })
					return near, nil
				}
				out := s.Send(ctx, aMail())
				servers.Wait()
				out.ProviderID = ""
				channeltest.Check(t, out, c.want)
			})
		})
	}
}

// answerLate takes a mail, and answers one verb late.
func answerLate(conn net.Conn, slow string, late time.Duration) {
	defer conn.Close()
	say := func(verb, text string) {
		if verb == slow {
			time.Sleep(late) // of synctest's time
		}
		_, _ = conn.Write([]byte(text + "\r\n"))
	}
	say("", "220 mx")
	content := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		verb, _, _ := strings.Cut(lines.Text(), " ")
		switch {
		case content && lines.Text() != ".":
		case verb == "DATA":
			content = true
			say(verb, "354 go ahead")
		default:
			content = false
			say(verb, "250 ok")
		}
	}
}
