package smtp

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

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
			channel.Outcome{Class: channel.Configuration, Status: 550, Reason: "550: check host, port and ehlo in the secret efferent/smtp"}, 0},
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
