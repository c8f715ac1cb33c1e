package smtp

import (
	"slices"
	"sync"
	"testing"

	"github.com/efferent/efferent/internal/channel"
)

// sessions counts those that the server had.
func (m *mailServer) sessions() (n int) {
	verbs, _ := m.got()
	for _, verb := range verbs {
		if verb == "EHLO" {
			n++
		}
	}
	return n
}

// end ends the sessions that are kept.
func (s *Sender) end() {
	for len(s.idle) > 0 {
		(<-s.idle).quit()
		s.leave()
	}
}

// TestMailsShareAConnection: as many as may, at no more connections at a time than may
// be; each mail goes once.
func TestMailsShareAConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config channel.EmailConfig
		least  int // sessions in all
		most   int // at a time
	}{
		"one each":                {channel.EmailConfig{}, 20, 20},
		"one each, two at a time": {channel.EmailConfig{Connections: 2}, 20, 2},
		"ten each":                {channel.EmailConfig{Connections: 2, MessagesPerConnection: 10}, 2, 2},
		"five each":               {channel.EmailConfig{Connections: 1, MessagesPerConnection: 5}, 4, 1},
		"all":                     {channel.EmailConfig{Connections: 1, MessagesPerConnection: 50}, 1, 1},
		"as they come":            {channel.EmailConfig{MessagesPerConnection: 50}, 1, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{}
			ctx := m.start(t)
			s := m.sender(c.config)
			defer s.end()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if o := s.Send(ctx, aMail()); !o.Sent() {
						t.Errorf("%+v", o)
					}
				})
			}
			all.Wait()
			_, mails := m.got()
			if n := m.sessions(); len(mails) != 20 || n < c.least || c.config.MessagesPerConnection == 0 && n != 20 || m.most > c.most {
				t.Errorf("%d mails by %d connections, %d at a time", len(mails), n, m.most)
			}
		})
	}
}

// TestAKeptConnectionMayHaveEnded: that is no failure of the mail, and none goes twice.
func TestAKeptConnectionMayHaveEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		once, says map[string]string
		cut        string
		sessions   int
		second     channel.Class
	}{
		"it is there":                {nil, nil, "", 1, ""},
		"it is cut":                  {nil, nil, "RSET", 2, ""},
		"it was too idle":            {nil, map[string]string{"RSET": "421 4.4.2 timeout"}, "", 2, ""},
		"no more mails by it":        {map[string]string{"MAIL": "421 4.7.0 too many messages in this session"}, nil, "", 2, ""},
		"the recipient is not there": {map[string]string{"RCPT": "550 5.1.1 no such user"}, nil, "", 1, channel.Permanent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{cut: c.cut, says: c.says, once: c.once}
			ctx := m.start(t)
			s := m.sender(channel.EmailConfig{Connections: 1, MessagesPerConnection: 9})
			defer s.end()
			if o := s.Send(ctx, aMail()); !o.Sent() {
				t.Fatalf("%+v", o)
			}
			second := s.Send(ctx, aMail())
			verbs, mails := m.got()
			if second.Class != c.second || m.sessions() > 2 || len(mails) > 2 {
				t.Errorf("%+v after %d sessions: %v", second, m.sessions(), verbs)
			}
			if c.sessions == 2 && (m.sessions() != 2 || len(mails) != 2) || slices.Contains(verbs, "STARTTLS") {
				t.Errorf("%d mails by %d connections", len(mails), m.sessions())
			}
			if third := s.Send(ctx, aMail()); !third.Sent() { // the place was given back
				t.Errorf("%+v", third)
			}
		})
	}
}
