package smtp

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestWhoIsToBlame is what servers say, each in its own words, at the end of a
// session that the recipient has nothing to do with, or all.
func TestWhoIsToBlame(t *testing.T) {
	t.Parallel()
	const (
		us  = channel.Configuration
		ann = channel.Permanent
	)
	for _, c := range []struct {
		at, says string
		class    channel.Class
		hint     string
	}{
		// Postfix, which looks at all of it when it knows the recipient.
		{"RCPT", "554 5.7.1 <ann@acme.test>: Relay access denied", us, "does not relay"},
		{"RCPT", "553 5.7.1 <noreply@efferent.test>: Sender address rejected: not owned by user ann", us, "check from"},
		{"RCPT", "550 5.1.8 <noreply@efferent.test>: Sender address rejected: Domain not found", us, "check from"},
		{"RCPT", "550 5.1.0 <noreply@efferent.test>: Sender address rejected: User unknown in virtual mailbox table", us, "check from"},
		{"RCPT", "504 5.5.2 <laptop>: Helo command rejected: need fully-qualified hostname", us, "check ehlo"},
		{"RCPT", "550 5.7.1 <laptop>: Helo command rejected: Host not found", us, "check ehlo"},
		{"RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", us, "from this address"},
		{"RCPT", "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", us, "from this address"},
		{"RCPT", "550 5.1.1 <ann@acme.test>: Recipient address rejected: User unknown in relay recipient table", ann, ""},
		{"RCPT", "554 5.7.1 <ann@acme.test>: Recipient address rejected: Access denied", ann, ""},
		{"DATA", "554 5.5.1 Error: no valid recipients", ann, ""},
		// Exim, which has no enhanced codes.
		{"RCPT", "550 relay not permitted", us, "does not relay"},
		{"RCPT", "550 Sender verify failed", us, "check from"},
		{"RCPT", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", us, "check ehlo"},
		{"RCPT", "550 authentication required", us, "check username"},
		{"RCPT", "550 Unrouteable address", ann, ""},
		// sendmail and qmail.
		{"RCPT", "550 5.7.1 <ann@acme.test>... Relaying denied. Proper authentication required.", us, "does not relay"},
		{"RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", us, "does not relay"},
		{"MAIL", "553 5.5.4 <noreply>... Domain name required for sender address", us, "check from"},
		// Exchange and Exchange Online.
		{"RCPT", "550 5.7.1 Unable to relay", us, "does not relay"},
		{"RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", us, "does not relay"},
		{"RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", us, "does not relay"},
		{"MAIL", "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail", us, "check username"},
		{".", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", us, "check from"},
		{".", "554 5.2.252 SendAsDenied; noreply@efferent.test not allowed to send as other@acme.test", us, "check from"},
		{".", "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", us, "check from"},
		{".", "550 5.7.509 Access denied, sending domain efferent.test does not pass DMARC verification", us, "DMARC"},
		{"RCPT", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", ann, ""},
		{"RCPT", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", ann, ""},
		// Gmail.
		{".", "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", us, "SPF"},
		{".", "550 5.7.1 Invalid credentials for relay [192.0.2.1].", us, "does not relay"},
		{".", "550 5.7.25 The sending IP does not have a PTR record setup.", us, "from this address"},
		{"RCPT", "550 5.2.1 The email account that you tried to reach is disabled.", ann, ""},
		{"RCPT", "552 5.2.2 The recipient's inbox is out of storage space", ann, ""},
		{".", "552 5.7.0 This message was blocked because its content presents a potential security issue.", ann, ""},
		{".", "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", ann, ""},
		// SES, SendGrid, Mailgun, Resend.
		{".", "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-NORTH-1: " +
			"noreply@efferent.test", us, "check from"},
		{".", "554 Access denied: User `arn:aws:iam::1:user/smtp' is not authorized to perform `ses:SendRawEmail'", us, "check username"},
		{".", "554 Message rejected: Sending paused for this account.", us, "stopped our account"},
		{".", "554 Transaction failed: Illegal address", ann, ""},
		{".", "550 The from address does not match a verified Sender Identity.", us, "check from"},
		{"MAIL", "550 Unauthenticated senders not allowed", us, "check username"},
		{".", "550 The efferent.test domain is not verified.", us, "check from"},
		// What is quoted says nothing.
		{"RCPT", "550 No such user <helo@relay.denied.spf.test> here", ann, ""},
		{"RCPT", "550 5.1.1 dmarc-reports@acme.test: no such user", ann, ""},
		{"RCPT", "550 No such user: see 5.7.8 of our rules", ann, ""},
		// What an enhanced code says of the recipient no text takes back.
		{"RCPT", "550 5.2.1 Mailbox disabled: authentication required to open it again", ann, ""},
		{"RCPT", "550 5.4.4 Unable to relay: there is no route", ann, ""},
		// What is about us, by its code or its text alone.
		{"MAIL", "530 5.7.0 Must issue a STARTTLS command first", us, "TLS"},
		{".", "550 5.7.1 Message rejected because of the SPF policy", us, "SPF"},
		// Nobody's fault for good.
		{"RCPT", "450 4.7.1 Client host rejected: cannot find your hostname", channel.Transient, "from this address"},
		{"RCPT", "450 4.7.1 <laptop>: Helo command rejected: Host not found", channel.Transient, "check ehlo"},
		{"RCPT", "450 4.2.0 <ann@acme.test>: Recipient address rejected: Greylisted", channel.Transient, "RCPT TO"},
		{"MAIL", "451 4.3.5 Server configuration problem", channel.Transient, "MAIL FROM"},
		{"RCPT", "452 4.2.2 ann@acme.test: mailbox has exceeded its quota", channel.Transient, "RCPT TO"},
		{"RCPT", "450 4.2.1 The user is receiving mail at a rate limit", channel.Transient, "RCPT TO"},
		{"RCPT", "450 4.7.1 Greylisted by the rate-limit@acme.test", channel.Transient, "RCPT TO"},
		{"MAIL", "421 4.3.2 Service shutting down", channel.Transient, "MAIL FROM"},
		// Too much at a time.
		{"MAIL", "421 4.7.0 mx.acme.test Error: too many connections from 192.0.2.1", channel.Limited, "MAIL FROM"},
		{"MAIL", "450 4.7.1 Error: too much mail from 192.0.2.1", channel.Limited, "MAIL FROM"},
		{"MAIL", "421 Too many concurrent SMTP connections; please try again later.", channel.Limited, "MAIL FROM"},
		{"MAIL", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", channel.Limited, "MAIL FROM"},
		{"RCPT", "421 4.7.28 Our system has detected an unusual rate: your message rate limit was reached", channel.Limited, "RCPT TO"},
		{"RCPT", "454 Throttling failure: Maximum sending rate exceeded.", channel.Limited, "RCPT TO"},
		{"RCPT", "454 Throttling failure: Daily message quota exceeded.", channel.Limited, "RCPT TO"},
		{"RCPT", "454 4.7.1 <ann@acme.test>: Relay access denied", us, "does not relay"},
	} {
		t.Run(c.at+" "+c.says, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{says: map[string]string{c.at: c.says}}
			ctx := m.start(t)
			got := m.sender(channel.EmailConfig{}).Send(ctx, aMail())
			if got.Class != c.class || !strings.Contains(got.Reason, c.hint) || got.Response != c.says {
				t.Errorf("%+v, want %s: %s", got, c.class, c.hint)
			}
			if told := strings.Contains(got.Reason, "check "); told != (c.hint != "" && !atAStage[c.hint]) {
				t.Errorf("the reason %q blames us: %t", got.Reason, told)
			}
			if strings.Contains(got.Reason, "@") || strings.Contains(got.Reason, "rejected") || strings.Contains(got.Reason, "denied") {
				t.Errorf("the reason %q tells the server's text", got.Reason)
			}
		})
	}
}

// atAStage are the hints that blame nobody.
var atAStage = map[string]bool{string(atMail): true, string(atRcpt): true}

// TestResponse is what the server said, and never the password.
func TestResponse(t *testing.T) {
	t.Parallel()
	plain := "AGFubgBodXNoLXRva2Vu" // \0ann\0 and the password
	m := &mailServer{extensions: []string{"AUTH PLAIN"}, says: map[string]string{
		"AUTH": "535-5.7.8 you said AUTH PLAIN " + plain + "\r\n535 5.7.8 and " + channeltest.SecretAuth + " is wrong: " +
			strings.Repeat("å", 2000)}}
	ctx := m.start(t)
	got := m.sender(signedIn(channel.TLSNone)).Send(ctx, aMail())
	channeltest.Check(t, got, channel.Outcome{Class: channel.Configuration, Status: 535, Reason: "check username and password"})
	want := "535 5.7.8 you said AUTH PLAIN AGFubgB[secret]\n5.7.8 and [secret] is wrong: å"
	if !strings.HasPrefix(got.Response, want) || len(got.Response) > 1024 || len(got.Response) < 1020 {
		t.Errorf("it said %q", got.Response)
	}
}
