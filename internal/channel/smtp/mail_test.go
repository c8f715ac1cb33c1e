package smtp

import (
	"context"
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
	"github.com/efferent/efferent/internal/channel/mailbox"
)

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

// TestAsksForReports: SES is told by headers of its own what to publish, and by which
// tags, where that is wanted; no line of them is too long, however long the ids are.
func TestAsksForReports(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"", "efferent"} {
		m := &mailServer{}
		ctx := m.start(t)
		h := aMail()
		h.ID, h.MessageID, h.Attempt = strings.Repeat("n", 128), "4f3c1b7e-0000-4000-8000-000000000001", 3
		s := m.sender(channel.EmailConfig{ConfigurationSet: set})
		if out := s.Send(ctx, h); !out.Sent() || channel.ReportsOn(s) != (set != "") {
			t.Fatalf("%+v", out)
		}
		_, mails := m.got()
		headers, _ := readMail(t, mails[0])
		want := ""
		if set != "" {
			want = "efferent-id=" + h.ID + ", efferent-message=" + h.MessageID + ", efferent-attempt=3"
		}
		if got := headers("X-Ses-Message-Tags"); got != want || headers("X-Ses-Configuration-Set") != set {
			t.Errorf("%q: the tags are %q", set, got)
		}
		for line := range strings.SplitSeq(mails[0], "\r\n") {
			if len(line) > 998 {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
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
	if got := of(func(h *channel.Handover) { h.Subject, h.Body = "other", "other" }); got != same {
		t.Errorf("%q and %q", same, got)
	}
	if got := of(func(h *channel.Handover) { h.Recipient = "bob@acme.test" }); got == same {
		t.Errorf("two recipients of one id have %q", got)
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
			"the subject must have no line breaks"},
		"a bare CR in the subject": {func(h *channel.Handover) { h.Subject = "Hi\rBcc: eve@acme.test" },
			"the subject must have no line breaks"},
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

// TestInternationalAddress: domains go out in A-labels, in the envelope and in
// the headers, and SMTPUTF8 is asked for where a local part needs it only.
func TestInternationalAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to         string
		wantFrom, wantTo string
		utf8             bool
	}{
		{"noreply@efferent.test", "ann@acme.test", "noreply@efferent.test", "ann@acme.test", false},
		{"Éfferent <noreply@efferent.test>", "ann@acme.test", "noreply@efferent.test", "ann@acme.test", false},
		{"noreply@efferent.test", "ann@bücher.test", "noreply@efferent.test", "ann@xn--bcher-kva.test", false},
		{"Müller <noreply@bücher.test>", "ann@BÜCHER.test", "noreply@xn--bcher-kva.test", "ann@xn--bcher-kva.test", false},
		{"noreply@efferent.test", "ann@straße.test", "noreply@efferent.test", "ann@xn--strae-oqa.test", false},
		{"noreply@efferent.test", "ann@例え.テスト", "noreply@efferent.test", "ann@xn--r8jz45g.xn--zckzah", false},
		{"noreply@efferent.test", "änn@bücher.test", "noreply@efferent.test", "änn@xn--bcher-kva.test", true},
		{"nörply@efferent.test", "ann@acme.test", "nörply@efferent.test", "ann@acme.test", true},
	} {
		t.Run(c.from+" "+c.to, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{extensions: []string{"SMTPUTF8", "8BITMIME"}}
			ctx := m.start(t)
			h := aMail()
			h.Recipient = c.to
			out := m.sender(channel.EmailConfig{From: c.from}).Send(ctx, h)
			if !out.Sent() {
				t.Fatalf("%+v", out)
			}
			said := strings.Join(m.commands, "\n")
			if !strings.Contains(said, "MAIL FROM:<"+c.wantFrom+">") || !strings.Contains(said, "RCPT TO:<"+c.wantTo+">") ||
				strings.Contains(said, "SMTPUTF8") != c.utf8 {
				t.Errorf("it said %v", m.commands)
			}
			_, mails := m.got()
			header, _, _ := strings.Cut(mails[0], "\r\n\r\n")
			if !strings.Contains(header, "<"+c.wantFrom+">\r\n") || !strings.Contains(header, "To: <"+c.wantTo+">\r\n") ||
				mailbox.IsASCII(header) == c.utf8 {
				t.Errorf("the header is %q", header)
			}
			if domain := c.wantFrom[strings.Index(c.wantFrom, "@"):]; !strings.HasSuffix(out.ProviderID, domain) {
				t.Errorf("the Message-ID is %q", out.ProviderID)
			}
		})
	}
}

// TestAddressThatCanNotBeSent: another channel may reach the recipient.
func TestAddressThatCanNotBeSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		want     channel.Outcome
		verbs    []string
	}{
		"a recipient that needs SMTPUTF8": {"noreply@efferent.test", "änn@acme.test",
			channel.Outcome{Class: channel.Permanent, Reason: "has no SMTPUTF8, which the recipient's address needs"}, []string{"EHLO", "QUIT"}},
		"a sender that needs SMTPUTF8": {"nörply@efferent.test", "ann@acme.test",
			channel.Outcome{Class: channel.Configuration, Reason: "which the sender's address needs: check from in the secret"},
			[]string{"EHLO", "QUIT"}},
		"a domain that is none": {"noreply@efferent.test", "ann@bü_cher.test",
			channel.Outcome{Class: channel.Permanent, Reason: "the recipient must have a domain"}, nil},
		"a sender whose domain is none": {"noreply@bü_cher.test", "ann@acme.test",
			channel.Outcome{Class: channel.Configuration, Reason: "from must have a domain"}, nil},
		"a domain too long in A-labels": {"noreply@efferent.test", "ann@" + strings.Repeat("üä.", 40) + "test",
			channel.Outcome{Class: channel.Permanent, Reason: "the recipient must"}, nil},
		"a long local part": {"noreply@efferent.test", strings.Repeat("a", 65) + "@acme.test",
			channel.Outcome{Class: channel.Permanent, Reason: "64 before the @"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{extensions: []string{"8BITMIME"}}
			ctx := m.start(t)
			h := aMail()
			h.Recipient = c.to
			channeltest.Check(t, m.sender(channel.EmailConfig{From: c.from}).Send(ctx, h), c.want)
			if diff := cmp.Diff(c.verbs, strip(m)); diff != "" {
				t.Errorf("it said %s", diff)
			}
		})
	}
}

// TestInternationalHost: the server's name is one in A-labels, to the DNS and
// in its certificate.
func TestInternationalHost(t *testing.T) {
	t.Parallel()
	s := New(channel.EmailConfig{From: channel.DefaultFrom, Host: "bücher.test", Port: 587, TLS: channel.TLSStart}, nil, time.Now)
	dialled := ""
	s.dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = address
		return nil, errors.New("not there")
	}
	channeltest.Check(t, s.Send(t.Context(), aMail()), channel.Outcome{Class: channel.Transient, Reason: "no connection"})
	if dialled != "xn--bcher-kva.test:587" || s.tls.ServerName != "xn--bcher-kva.test" {
		t.Errorf("it dialled %q, for the certificate of %q", dialled, s.tls.ServerName)
	}
}
