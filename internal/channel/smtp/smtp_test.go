package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestEmailAnswers is every stage of a session and what its failures mean.
func TestEmailAnswers(t *testing.T) {
	t.Parallel()
	says := func(at, answer string) *mailServer { return &mailServer{says: map[string]string{at: answer}} }
	const quoting = " <ann@acme.test> a private text hush"
	taken := channel.Outcome{Status: 250, ProviderID: "n_7.2c8b6a1d@efferent.test"}
	for name, c := range map[string]struct {
		server *mailServer
		config channel.EmailConfig
		want   channel.Outcome
		mails  int // that the server has read to the end
	}{
		"taken":                   {&mailServer{}, channel.EmailConfig{}, taken, 1},
		"taken with STARTTLS":     {&mailServer{extensions: []string{"STARTTLS"}}, channel.EmailConfig{TLS: channel.TLSStart}, taken, 1},
		"taken over implicit TLS": {&mailServer{implicit: true}, channel.EmailConfig{TLS: channel.TLSImplicit}, taken, 1},
		"taken with a password": {&mailServer{implicit: true, extensions: []string{"AUTH PLAIN"}}, signedIn(channel.TLSImplicit),
			taken, 1},
		"opportunistic, with STARTTLS": {&mailServer{extensions: []string{"STARTTLS",
			"AUTH PLAIN"}}, signedIn(channel.TLSOpportunistic), taken, 1},
		"opportunistic, without":         {&mailServer{extensions: []string{"AUTH PLAIN"}}, signedIn(channel.TLSOpportunistic), taken, 1},
		"taken with other words":         {says(".", "250 OK id=1abc"), channel.EmailConfig{}, taken, 1},
		"taken, and QUIT fails":          {says("QUIT", "500 no"), channel.EmailConfig{}, taken, 1},
		"taken, and QUIT is cut":         {&mailServer{cut: "QUIT"}, channel.EmailConfig{}, taken, 1},
		"taken, and the caller gives up": {&mailServer{hang: "QUIT"}, channel.EmailConfig{}, taken, 1},

		"greeting 421": {says("greeting", "421 busy"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 421, Reason: "421 before the mail was offered"}, 0},
		"greeting 554": {says("greeting", "554 no"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Status: 554, Reason: "refused the session with 554"}, 0},
		"greeting of HTTP": {says("greeting", "HTTP/1.1 400 Bad Request"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Reason: "does not speak SMTP"}, 0},
		"greeting is cut": {&mailServer{cut: "greeting"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "no connection: connection closed"}, 0},
		"greeting hangs": {&mailServer{hang: "greeting"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "no connection: "}, 0},
		"EHLO 421": {&mailServer{says: map[string]string{"EHLO": "421 busy", "HELO": "421 busy"}}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 421, Reason: "421"}, 0},
		"EHLO 550": {&mailServer{says: map[string]string{"EHLO": "550 no", "HELO": "550 no"}}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Status: 550, Reason: "550"}, 0},
		"EHLO is cut": {&mailServer{cut: "EHLO"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "no connection: connection closed"}, 0},
		"no STARTTLS": {&mailServer{}, channel.EmailConfig{TLS: channel.TLSStart},
			channel.Outcome{Class: channel.Configuration, Reason: "has no STARTTLS"}, 0},
		"STARTTLS 454": {&mailServer{extensions: []string{"STARTTLS"}, says: map[string]string{"STARTTLS": "454 later"}},
			channel.EmailConfig{TLS: channel.TLSStart}, channel.Outcome{Class: channel.Transient, Status: 454, Reason: "454"}, 0},
		"STARTTLS 501": {&mailServer{extensions: []string{"STARTTLS"}, says: map[string]string{"STARTTLS": "501 no"}},
			channel.EmailConfig{TLS: channel.TLSStart}, channel.Outcome{Class: channel.Configuration, Status: 501, Reason: "501"}, 0},
		"STARTTLS is cut": {&mailServer{extensions: []string{"STARTTLS"}, cut: "STARTTLS"}, channel.EmailConfig{TLS: channel.TLSStart},
			channel.Outcome{Class: channel.Transient, Reason: "no connection: connection closed"}, 0},
		"no TLS there": {&mailServer{}, channel.EmailConfig{TLS: channel.TLSImplicit},
			channel.Outcome{Class: channel.Configuration, Reason: "does not speak TLS"}, 0},
		"AUTH 535": {&mailServer{extensions: []string{"AUTH PLAIN"}, says: map[string]string{"AUTH": "535 5.7.8 wrong" + quoting}},
			signedIn(channel.TLSNone),
			channel.Outcome{Class: channel.Configuration, Status: 535, Reason: "check username and password in the secret efferent/smtp"}, 0},
		"AUTH 534": {&mailServer{extensions: []string{"AUTH PLAIN"}, says: map[string]string{"AUTH": "534 too weak"}},
			signedIn(channel.TLSNone), channel.Outcome{Class: channel.Configuration, Status: 534, Reason: "check username and password"}, 0},
		"AUTH 454": {&mailServer{extensions: []string{"AUTH PLAIN"}, says: map[string]string{"AUTH": "454 later"}}, signedIn(channel.TLSNone),
			channel.Outcome{Class: channel.Transient, Status: 454, Reason: "454"}, 0},
		"AUTH is cut": {&mailServer{extensions: []string{"AUTH PLAIN"}, cut: "AUTH"}, signedIn(channel.TLSNone),
			channel.Outcome{Class: channel.Transient, Reason: "no connection: connection closed"}, 0},
		"no AUTH": {&mailServer{}, signedIn(channel.TLSNone),
			channel.Outcome{Class: channel.Configuration, Reason: "no way to authenticate"}, 0},
		"AUTH not known": {&mailServer{extensions: []string{"AUTH GSSAPI"}}, signedIn(channel.TLSNone),
			channel.Outcome{Class: channel.Configuration, Reason: "no way to authenticate"}, 0},
		"MAIL FROM 451": {says("MAIL", "451 4.3.0 later"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 451, Reason: "451 4.3.0 at MAIL FROM"}, 0},
		"MAIL FROM 553": {says("MAIL", "553 5.1.8 no"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Status: 553, Reason: "refuses the sender: check from"}, 0},
		"MAIL FROM 530": {says("MAIL", "530 5.7.0 sign in"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Status: 530, Reason: "wants another authentication"}, 0},
		"MAIL FROM is cut": {&mailServer{cut: "MAIL"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "connection lost at MAIL FROM"}, 0},
		"RCPT TO 450": {says("RCPT", "450 4.2.1 greylisted"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 450, Reason: "450 4.2.1 at RCPT TO"}, 0},
		"RCPT TO 550": {says("RCPT", "550 5.1.1 no such user"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Permanent, Status: 550, Reason: "550 5.1.1 at RCPT TO"}, 0},
		"RCPT TO 552": {says("RCPT", "552 5.2.2 mailbox full"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Permanent, Status: 552, Reason: "552 5.2.2 at RCPT TO"}, 0},
		"RCPT TO, sender": {says("RCPT", "550 5.1.8 bad sender"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Configuration, Status: 550, Reason: "refuses the sender"}, 0},
		"RCPT TO is cut": {&mailServer{cut: "RCPT"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "connection lost at RCPT TO"}, 0},
		"DATA 451": {says("DATA", "451 later"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 451, Reason: "451 at DATA"}, 0},
		"DATA 554": {says("DATA", "554 5.5.1 no"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Permanent, Status: 554, Reason: "554 5.5.1 at DATA"}, 0},
		"DATA is cut": {&mailServer{cut: "DATA"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "connection lost at DATA"}, 0},
		"DATA hangs": {&mailServer{hang: "DATA"}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Reason: "connection lost at DATA"}, 0},
		"the end 452": {says(".", "452 4.3.1 full"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Transient, Status: 452, Reason: "452 4.3.1 at the mail's end"}, 1},
		"the end 554": {says(".", "554 5.7.1 spam"+quoting), channel.EmailConfig{},
			channel.Outcome{Class: channel.Permanent, Status: 554, Reason: "554 5.7.1 at the mail's end"}, 1},
		"the end is cut": {&mailServer{cut: "."}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Unknown, Reason: "it may have been taken"}, 1},
		"the end hangs": {&mailServer{hang: "."}, channel.EmailConfig{},
			channel.Outcome{Class: channel.Unknown, Reason: "it may have been taken"}, 1},
		"the end, nonsense": {says(".", "what?"), channel.EmailConfig{},
			channel.Outcome{Class: channel.Unknown, Reason: "it may have been taken"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := c.server.start(t)
			got := c.server.sender(c.config).Send(ctx, aMail())
			if got.ProviderID != "" {
				got.ProviderID = taken.ProviderID // TestMail is about it
			}
			channeltest.Check(t, got, c.want)
			if _, mails := c.server.got(); len(mails) != c.mails {
				t.Errorf("the server has %d mails, want %d", len(mails), c.mails)
			}
		})
	}
}

// TestEmailWithoutASession is what can go wrong before the server's greeting.
func TestEmailWithoutASession(t *testing.T) {
	t.Parallel()
	send := func(ctx context.Context, host string, port int) channel.Outcome {
		return New(channel.EmailConfig{From: channel.DefaultFrom, Host: host, Port: port, TLS: channel.TLSNone}, nil, time.Now).Send(ctx, aMail())
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	port := closed.Addr().(*net.TCPAddr).Port
	channeltest.Check(t, send(t.Context(), "127.0.0.1", port),
		channel.Outcome{Class: channel.Transient, Reason: "no connection: connection refused"})
	channeltest.Check(t, send(t.Context(), "no-such-host.invalid", 25), channel.Outcome{
		Class: channel.Transient, Reason: "no connection: the host's name can't be resolved"})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	channeltest.Check(t, send(gone, "127.0.0.1", port), channel.Outcome{Class: channel.Transient, Reason: "no connection: cancelled"})
}

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

// TestMail reads what was sent.
func TestMail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Wörter, ", 300)
	for name, c := range map[string]struct {
		change  func(*channel.Handover)
		headers map[string]string
		body    string
	}{
		"plain": {func(h *channel.Handover) {}, map[string]string{
			"From": `"Efferent" <noreply@efferent.test>`, "To": "<ann@acme.test>", "Subject": "Grüße, Ångström",
			"Date":           "Tue, 24 Nov 2026 12:00:00 +0000",
			"Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "List-Unsubscribe": "", "Cc": "", "Bcc": "", "User-Agent": "",
			"X-Mailer": ""}, channeltest.Body},
		"lines": {func(h *channel.Handover) { h.Body = ".\n..two\n.\r\nthree=3D \n\n.." }, nil, ".\n..two\n.\nthree=3D \n\n.."},
		"long": {func(h *channel.Handover) { h.Subject, h.Body = strings.TrimSpace(long[:900]), long },
			map[string]string{"Subject": strings.TrimSpace(long[:900])}, long},
		"other scripts": {func(h *channel.Handover) { h.Subject, h.Body = "日本語 🎉", "日本語\n🎉" },
			map[string]string{"Subject": "日本語 🎉"},
			"日本語\n🎉"},
		"a long word": {func(h *channel.Handover) { h.Subject = strings.Repeat("a", 68) },
			map[string]string{"Subject": strings.Repeat("a", 68)}, channeltest.Body},
		"a subject that looks encoded": {func(h *channel.Handover) { h.Subject = "=?UTF-8?Q?a?=" }, map[string]string{"Subject": "=?UTF-8?Q?a?="},
			channeltest.Body},
		"a subject of long characters": {func(h *channel.Handover) { h.Subject = "a" + strings.Repeat("日", 30) },
			map[string]string{"Subject": "a" + strings.Repeat("日", 30)}, channeltest.Body},
		"no subject": {func(h *channel.Handover) { h.Subject = "" }, map[string]string{"Subject": ""}, channeltest.Body},
		"unsubscribe by a click": {func(h *channel.Handover) { h.ListUnsubscribe = "https://acme.test/u?a=1&b=2" },
			map[string]string{"List-Unsubscribe": "<https://acme.test/u?a=1&b=2>",
				"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}, channeltest.Body},
		"unsubscribe by mail": {func(h *channel.Handover) { h.ListUnsubscribe = "mailto:leave@acme.test" },
			map[string]string{"List-Unsubscribe": "<mailto:leave@acme.test>", "List-Unsubscribe-Post": ""}, channeltest.Body},
		"a URL that is longer than a line": {func(h *channel.Handover) { h.ListUnsubscribe = "https://acme.test/" + strings.Repeat("u", 500) },
			map[string]string{"List-Unsubscribe": "<https://acme.test/" + strings.Repeat("u", 500) + ">"}, channeltest.Body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{}
			ctx := m.start(t)
			h := aMail()
			c.change(&h)
			out := m.sender(channel.EmailConfig{}).Send(ctx, h)
			_, mails := m.got()
			if !out.Sent() || len(mails) != 1 {
				t.Fatalf("%+v, %d mails", out, len(mails))
			}
			for line := range strings.SplitSeq(mails[0], "\r\n") {
				if len(line) > 998 || strings.Contains(line, "=?UTF-8?") && len(line) > 76 || strings.ContainsAny(line, "\r\n") {
					t.Errorf("a line of %d bytes: %q", len(line), line)
				}
			}
			headers, body := readMail(t, mails[0])
			for name, want := range c.headers {
				if got := headers(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if diff := cmp.Diff(c.body, body); diff != "" {
				t.Errorf("the body: %s", diff)
			}
			if got := headers("Message-ID"); got != "<"+out.ProviderID+">" || !strings.HasPrefix(got, "<n_7.") ||
				!strings.HasSuffix(got, "@efferent.test>") {
				t.Errorf("the Message-ID is %q, and the outcome tells %q", got, out.ProviderID)
			}
			if want := []string{"EHLO", "MAIL", "RCPT", "DATA", "QUIT"}; !slices.Equal(strip(m), want) {
				t.Errorf("it said %v", strip(m))
			}
		})
	}
}

func strip(m *mailServer) []string {
	verbs, _ := m.got()
	return verbs
}

// readMail gives a mail's headers, decoded, and its text.
func readMail(t *testing.T, text string) (header func(string) string, body string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if got := m.Header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
		t.Errorf("Content-Type is %q", got)
	}
	all, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return func(name string) string {
		if n := len(m.Header[name]); n > 1 {
			t.Errorf("%d headers %s", n, name)
		}
		value, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return value
	}, strings.TrimSuffix(strings.ReplaceAll(string(all), "\r\n", "\n"), "\n")
}

// TestMessageID is the same for the same notification, and for no other.
func TestMessageID(t *testing.T) {
	t.Parallel()
	of := func(change func(*channel.Handover)) string {
		h := aMail()
		change(&h)
		return messageID("noreply@efferent.test", h)
	}
	same := of(func(*channel.Handover) {})
	if got := of(func(h *channel.Handover) { h.Subject, h.Body, h.Recipient = "other", "other", "bob@acme.test" }); got != same {
		t.Errorf("%q and %q", same, got)
	}
	if got := of(func(h *channel.Handover) { h.Tenant = "other" }); got == same {
		t.Errorf("two tenants have %q", got)
	}
	if got := of(func(h *channel.Handover) { h.ID, h.Tenant = "n_", "7acme" }); got == same {
		t.Errorf("two ids have %q", got)
	}
}

// TestEmailRefusedBeforeSending: what could add a header or a recipient never
// comes as far as the server.
func TestEmailRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*channel.Handover)
		says   string
	}{
		"a line break in the subject": {func(h *channel.Handover) { h.Subject = "Hi\r\nBcc: eve@acme.test" },
			"the subject must be at most 998 bytes, without line breaks"},
		"a bare CR in the subject": {func(h *channel.Handover) { h.Subject = "Hi\rBcc: eve@acme.test" },
			"the subject must be at most 998 bytes, without line breaks"},
		"a line break in the recipient": {func(h *channel.Handover) { h.Recipient = "ann@acme.test\nRCPT TO:<eve@acme.test>" },
			"the recipient must have no line breaks"},
		"two recipients":              {func(h *channel.Handover) { h.Recipient = "ann@acme.test, eve@acme.test" }, "one email address"},
		"a name and a recipient":      {func(h *channel.Handover) { h.Recipient = "Ann <ann@acme.test>" }, "one email address"},
		"a group":                     {func(h *channel.Handover) { h.Recipient = "all: ann@acme.test;" }, "one email address"},
		"a bracket":                   {func(h *channel.Handover) { h.Recipient = "ann@acme.test>" }, "one email address"},
		"no recipient":                {func(h *channel.Handover) { h.Recipient = "" }, "must not be empty"},
		"too long a recipient":        {func(h *channel.Handover) { h.Recipient = strings.Repeat("a", 250) + "@acme.test" }, "one email address"},
		"a line break in the id":      {func(h *channel.Handover) { h.ID = "n\r\nX: y" }, "the id"},
		"a line break to unsubscribe": {func(h *channel.Handover) { h.ListUnsubscribe = "https://acme.test/\r\nX: y" }, "list_unsubscribe"},
		"a bracket to unsubscribe": {func(h *channel.Handover) { h.ListUnsubscribe = "https://acme.test/>, <mailto:eve@acme.test" },
			"list_unsubscribe"},
		"plain http to unsubscribe": {func(h *channel.Handover) { h.ListUnsubscribe = "http://acme.test/" }, "list_unsubscribe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{}
			ctx := m.start(t)
			h := aMail()
			c.change(&h)
			channeltest.Check(t, m.sender(channel.EmailConfig{}).Send(ctx, h), channel.Outcome{Class: channel.Permanent, Reason: c.says})
			if verbs, _ := m.got(); len(verbs) != 0 {
				t.Errorf("it said %v", verbs)
			}
		})
	}
}

// TestInternationalAddress asks for SMTPUTF8 where an address needs it only.
func TestInternationalAddress(t *testing.T) {
	t.Parallel()
	for recipient, want := range map[string]bool{"ann@acme.test": false, "änn@acme.test": true} {
		m := &mailServer{extensions: []string{"SMTPUTF8", "8BITMIME"}}
		ctx := m.start(t)
		h := aMail()
		h.Recipient = recipient
		if out := m.sender(channel.EmailConfig{}).Send(ctx, h); !out.Sent() {
			t.Errorf("%+v", out)
		}
		if got := strings.Contains(strings.Join(m.commands, "\n"), "SMTPUTF8"); got != want {
			t.Errorf("to %s it said %v", recipient, m.commands)
		}
	}
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
