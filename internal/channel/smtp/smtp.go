// Package smtp hands notifications over by email to an SMTP server.
package smtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/mailbox"
)

const (
	// timeout bounds a hand-over until the mail's end is sent, unless ctx ends sooner.
	timeout = 20 * time.Second
	// endPatience is how long a server may take to answer the mail's end: it may be
	// delivering meanwhile, and who gives up too early gets it delivered twice (RFC
	// 5321, sections 4.5.3.2.6 and 6.1). A function's own time ends sooner.
	endPatience = 10 * time.Minute
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
	// hostname is this machine's.
	hostname func() (string, error)
	// places are those of connections, nil where they have no bound; idle are the
	// sessions that are kept, which have theirs.
	places chan struct{}
	idle   chan *session
}

// New returns the sender for c's server. A nil trust is the machine's own
// certificate authorities; now dates the mails.
func New(c channel.EmailConfig, trust *tls.Config, now func() time.Time) *Sender {
	t := &tls.Config{}
	if trust != nil {
		t = trust.Clone()
	}
	if host, err := mailbox.Host(c.Host); err == nil { // what is no name can't be resolved either
		c.Host = host
	}
	if t.ServerName == "" {
		t.ServerName = c.Host
	}
	t.MinVersion = max(t.MinVersion, tls.VersionTLS12)
	t.InsecureSkipVerify = c.TLS == channel.TLSOpportunistic
	s := &Sender{c: c, tls: t, now: now, dial: new(net.Dialer).DialContext, hostname: os.Hostname, idle: make(chan *session, mostIdle)}
	if c.Connections > 0 {
		s.places = make(chan struct{}, c.Connections)
	}
	return s
}

// Send hands h over, in a session of its own unless several mails may go by one.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckEmail(h); !ok {
		return refused
	}
	m, refused, ok := s.mail(h)
	if !ok {
		return refused
	}
	kept, ok := s.place(ctx)
	if !ok {
		return channel.Failed(channel.Limited, 0, "SMTP: no connection to the server was free in time")
	}
	late, giveUp := context.WithTimeout(ctx, endPatience)
	defer giveUp()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return s.said(s.send(ctx, late, kept, m))
}

// open connects and signs in; nil is where that failed, and o says why.
func (s *Sender) open(ctx context.Context, w *wire, m *email) (k *session, o channel.Outcome, said error) {
	conn, err := w.dial(ctx, "tcp", net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port)))
	if err != nil {
		return nil, refusedSession(err, w), err
	}
	client, err := gomail.NewClient(s.c.Host, s.options(conn, m)...)
	if err != nil {
		return nil, misconfigured(0, "the fields can't be used: check them"), nil
	}
	signedIn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, refusedSession(err, w), err
	}
	if ok, _ := signedIn.Extension("SMTPUTF8"); !ok && m.needsUTF8() {
		w.hurry(quitPatience)
		_ = signedIn.Quit()
		return nil, m.withoutUTF8(), nil
	}
	return &session{Client: signedIn, w: w, utf8: m.needsUTF8()}, o, nil
}

// handOver hands a mail over in a session. Again says that a kept one refused it
// before it knew what it is, and is closed.
func (s *Sender) handOver(k *session, m *email) (o channel.Outcome, said error, again bool) {
	left, at, err := m.handOver(k.Client, k.w.await)
	if err != nil {
		k.w.close()
		if k.mails > 0 && at == atMail {
			return o, nil, true
		}
		s.leave()
		return refusedMail(at, err, k.w), err, false
	}
	// It was taken: whatever becomes of the session's end.
	s.done(k)
	return left.told(channel.Taken(strings.Trim(m.GetMessageID(), "<>"), 250), s.c.Password), nil, false
}

// told says in the outcome of a mail that was taken who will not get it.
func (l leftOut) told(o channel.Outcome, password string) channel.Outcome {
	if len(l.answers) > 0 {
		o.Reason = fmt.Sprintf("SMTP: sent, but the server refused %d of %d recipients", len(l.answers), l.of)
		o.Response = channel.Said(strings.Join(l.answers, "\n"), password)
	}
	return o
}

// options of a client for one mail: a client that is shared would race
// (go-mail notes the mechanism that it found).
func (s *Sender) options(conn net.Conn, m *email) []gomail.Option {
	o := []gomail.Option{
		gomail.WithPort(s.c.Port), gomail.WithTimeout(timeout), gomail.WithHELO(s.ehlo(conn)),
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
		gomail.WithTLSConfig(s.tls), gomail.WithTLSPolicy(gomail.NoTLS),
	}
	switch s.c.TLS {
	case channel.TLSStart:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case channel.TLSOpportunistic:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if !m.needsUTF8() {
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
