package smtp

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

const theMailbox = "ann@acme.test"

func aMail() channel.Handover {
	return channel.Handover{ID: "n_7", Tenant: "acme", Recipient: theMailbox, Subject: "Grüße, Ångström", Body: channeltest.Body}
}

// sender is one to m, over TLS by the server's own authority.
func (m *mailServer) sender(c channel.EmailConfig) *Sender {
	c.Host, c.Port = "localhost", m.port
	if c.From == "" {
		c.From = "Efferent <noreply@efferent.test>"
	}
	if c.TLS == "" {
		c.TLS = channel.TLSNone
	}
	return New(c, &tls.Config{RootCAs: m.authority}, func() time.Time { return channeltest.Noon })
}

// signedIn is a configuration with a password.
func signedIn(tls string) channel.EmailConfig {
	return channel.EmailConfig{Username: "ann", Password: channeltest.SecretAuth, TLS: tls}
}

// TestEmailsAtOnce hands many over by one sender, which go-mail's own client
// does not take well.
func TestEmailsAtOnce(t *testing.T) {
	t.Parallel()
	m := &mailServer{implicit: true, extensions: []string{"AUTH PLAIN"}}
	ctx := m.start(t)
	s := m.sender(signedIn(channel.TLSImplicit))
	outcomes := make(chan channel.Outcome)
	for range 20 {
		go func() { outcomes <- s.Send(ctx, aMail()) }()
	}
	for range 20 {
		if out := <-outcomes; !out.Sent() {
			t.Errorf("%+v", out)
		}
	}
	if _, mails := m.got(); len(mails) != 20 {
		t.Errorf("%d mails", len(mails))
	}
}
