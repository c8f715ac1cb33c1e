// Package smtp hands notifications over by email to an SMTP server.
package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/efferent/efferent/internal/channel"
)

const (
	// timeout bounds a hand-over as a whole, unless ctx ends sooner.
	timeout = 20 * time.Second
	// quitPatience is how long we wait for a polite end after the mail was
	// taken.
	quitPatience = 2 * time.Second
)

// Sender sends email by an SMTP server.
type Sender struct {
	c    channel.EmailConfig
	tls  *tls.Config
	now  func() time.Time
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New returns the sender for c's server. A nil trust is the machine's own
// certificate authorities; now dates the mails.
func New(c channel.EmailConfig, trust *tls.Config, now func() time.Time) *Sender {
	t := &tls.Config{}
	if trust != nil {
		t = trust.Clone()
	}
	if t.ServerName == "" {
		t.ServerName = c.Host
	}
	t.MinVersion = max(t.MinVersion, tls.VersionTLS12)
	t.InsecureSkipVerify = c.TLS == channel.TLSOpportunistic
	return &Sender{c: c, tls: t, now: now, dial: new(net.Dialer).DialContext}
}

// Send hands h over in a session of its own.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckEmail(h); !ok {
		return refused
	}
	m, err := newMail(s.c.From, h, s.now())
	if err != nil {
		return channel.Failed(channel.Configuration, 0, "email: "+err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	w := &wire{ctx: ctx, connect: s.dial, tls: s.tls, implicit: s.c.TLS == channel.TLSImplicit}
	defer w.close()
	client, err := gomail.NewClient(s.c.Host, s.options(w, h.Recipient)...)
	if err != nil {
		return channel.Failed(channel.Configuration, 0, "SMTP: the configuration of the secret "+channel.EmailSecret+" can't be used")
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return refusedSession(err, w)
	}
	if err := client.SendWithSMTPClient(session, m); err != nil && !m.IsDelivered() {
		return refusedMail(err, w)
	}
	// It was taken: whatever becomes of the session's end.
	w.hurry(quitPatience)
	_ = client.CloseWithSMTPClient(session)
	return channel.Taken(strings.Trim(m.GetMessageID(), "<>"), 250)
}

// options of a client for one mail: a client that is shared would race
// (go-mail notes the mechanism that it found).
func (s *Sender) options(w *wire, recipient string) []gomail.Option {
	o := []gomail.Option{
		gomail.WithPort(s.c.Port), gomail.WithTimeout(timeout), gomail.WithDialContextFunc(w.dial),
		gomail.WithTLSConfig(s.tls), gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithoutNoop(), gomail.WithoutRset(), // the session is new, and ends with this mail
	}
	switch s.c.TLS {
	case channel.TLSStart:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case channel.TLSOpportunistic:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if isASCII(s.c.From + recipient) {
		// Asking for SMTPUTF8 where no address needs it makes a mail
		// undeliverable to servers that don't have it.
		o = append(o, gomail.WithoutSMTPUTF8())
	}
	if s.c.Username != "" {
		o = append(o, gomail.WithUsername(s.c.Username), gomail.WithPassword(s.c.Password),
			gomail.WithOpportunisticSMTPAuth(s.mechanisms()...))
	}
	return o
}

// mechanisms in order of preference: those that don't show the password
// first. Without TLS the configuration allows a password on loopback only.
func (s *Sender) mechanisms() []gomail.SMTPAuthType {
	scram := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	if s.c.TLS == channel.TLSNone || s.c.TLS == channel.TLSOpportunistic {
		return append(scram, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc)
	}
	plus := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA1PLUS}
	return append(append(plus, scram...), gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}
