package smtp

import (
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestEmailTrust shows that nobody between us and the server gets the password.
func TestEmailTrust(t *testing.T) {
	t.Parallel()
	for _, way := range []string{channel.TLSStart, channel.TLSImplicit} {
		for name, change := range map[string]func(*Sender){
			"an authority that nobody knows": func(s *Sender) { s.tls.RootCAs = nil },
			"a certificate of another name":  func(s *Sender) { s.tls.ServerName = "mail.acme.test" },
		} {
			t.Run(way+", "+name, func(t *testing.T) {
				t.Parallel()
				m := &mailServer{implicit: way == channel.TLSImplicit, extensions: []string{"STARTTLS", "AUTH PLAIN"}}
				ctx := m.start(t)
				s := m.sender(signedIn(way))
				change(s)
				channeltest.Check(t, s.Send(ctx, aMail()), channel.Outcome{Class: channel.Configuration,
					Reason: "the server's TLS certificate is not trusted, or is for another name"})
				if verbs, _ := m.got(); slices.Contains(verbs, "AUTH") || slices.Contains(verbs, "MAIL") {
					t.Errorf("it said %v", verbs)
				}
			})
		}
	}
}

// TestOpportunistic takes what there is, on this machine: TLS by whoever, and a
// password without it.
func TestOpportunistic(t *testing.T) {
	t.Parallel()
	for offers, want := range map[string]bool{"STARTTLS": true, "8BITMIME": false} {
		m := &mailServer{extensions: []string{offers, "AUTH PLAIN"}}
		ctx := m.start(t)
		m.authority = nil
		if out := m.sender(signedIn(channel.TLSOpportunistic)).Send(ctx, aMail()); !out.Sent() {
			t.Errorf("with %s: %+v", offers, out)
		}
		if verbs, _ := m.got(); slices.Contains(verbs, "STARTTLS") != want || !slices.Contains(verbs, "AUTH") {
			t.Errorf("with %s it said %v", offers, verbs)
		}
	}
}

// TestMechanisms: what does not show the password comes first, and what shows
// it only over TLS, or to this machine.
func TestMechanisms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ offers, tls, want string }{
		{"PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256", channel.TLSNone, "AUTH SCRAM-SHA-256"},
		{"PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256", channel.TLSImplicit, "AUTH SCRAM-SHA-256"},
		{"LOGIN PLAIN SCRAM-SHA-256-PLUS SCRAM-SHA-256", channel.TLSStart, "AUTH SCRAM-SHA-256-PLUS"},
		{"LOGIN PLAIN", channel.TLSStart, "AUTH PLAIN"},
		{"LOGIN", channel.TLSStart, "AUTH LOGIN"},
		{"LOGIN CRAM-MD5", channel.TLSNone, "AUTH CRAM-MD5"},
		{"PLAIN", channel.TLSNone, "AUTH PLAIN"},
	} {
		t.Run(c.offers+" "+c.tls, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{implicit: c.tls == channel.TLSImplicit, extensions: []string{"STARTTLS", "AUTH " + c.offers},
				says: map[string]string{"AUTH": "535 no"}}
			ctx := m.start(t)
			channeltest.Check(t, m.sender(signedIn(c.tls)).Send(ctx, aMail()),
				channel.Outcome{Class: channel.Configuration, Status: 535, Reason: "535"})
			var auth string
			for _, line := range m.commands {
				if strings.HasPrefix(line, "AUTH ") {
					auth = strings.Join(strings.Fields(line)[:2], " ")
				}
			}
			if auth != c.want {
				t.Errorf("it began %q, want %q", auth, c.want)
			}
		})
	}
}
