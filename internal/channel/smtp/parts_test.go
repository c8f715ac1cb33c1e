package smtp

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// part is one of a mail's, or of a part's.
type part struct {
	Type, Disposition, ID, Content string
}

// parts reads all parts of a mail that have none themselves.
func parts(t *testing.T, header func(string) string, body io.Reader) (all []part) {
	t.Helper()
	kind, with, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, with["boundary"]); ; {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, parts(t, p.Header.Get, p)...)
		}
	}
	if header("Content-Transfer-Encoding") == "base64" {
		body = base64.NewDecoder(base64.StdEncoding, body)
	} else {
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body) // of the last, with the mail's last line break
	if err != nil {
		t.Fatal(err)
	}
	disposition, name, _ := mime.ParseMediaType(header("Content-Disposition"))
	if name["filename"] != "" {
		disposition += " " + name["filename"]
	}
	return []part{{kind, disposition, header("Content-ID"), strings.TrimSuffix(string(content), "\r\n")}}
}

func TestParts(t *testing.T) {
	t.Parallel()
	html := part{Type: "text/html", Content: "<b>Grüße</b>"}
	text := part{Type: "text/plain", Content: "Grüße"}
	for name, c := range map[string]struct {
		change func(*channel.Handover)
		want   []part
	}{
		"HTML and text": {func(h *channel.Handover) { h.Body, h.HTML = text.Content, html.Content }, []part{text, html}},
		"HTML alone":    {func(h *channel.Handover) { h.Body, h.HTML = "", html.Content }, []part{html}},
		"text and files": {func(h *channel.Handover) {
			h.Body = text.Content
			h.Attachments = []channel.Attachment{{Name: "Räkning; \"1\".pdf", Content: []byte("%PDF\x00\xff")}, {Name: "a", Type: "text/plain",
				Content: []byte("a\n.\n")}}
		}, []part{text, {"application/pdf", `attachment Räkning; "1".pdf`, "", "%PDF\x00\xff"}, {"text/plain", "attachment a", "", "a\n.\n"}}},
		"all of it": {func(h *channel.Handover) {
			h.Body, h.HTML = text.Content, html.Content
			h.Attachments = []channel.Attachment{{Name: "a.pdf", Content: []byte("a")}, {Name: "logo.png", ContentID: "logo", Content: []byte("b")}}
		}, []part{text, html, {"image/png", "inline logo.png", "<logo>", "b"}, {"application/pdf", "attachment a.pdf", "", "a"}}},
		"a file alone": {func(h *channel.Handover) {
			h.Body, h.Attachments = text.Content, []channel.Attachment{{Name: strings.Repeat("å", 127), Content: []byte("a")}}
		}, []part{text, {"application/octet-stream", "attachment " + strings.Repeat("å", 127), "", "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{}
			ctx := m.start(t)
			h := aMail()
			c.change(&h)
			if out := m.sender(channel.EmailConfig{}).Send(ctx, h); !out.Sent() {
				t.Fatalf("%+v", out)
			}
			_, mails := m.got()
			for line := range strings.SplitSeq(mails[0], "\r\n") {
				if len(line) > 998 {
					t.Errorf("a line of %d bytes", len(line))
				}
			}
			read, err := mail.ReadMessage(strings.NewReader(mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, parts(t, read.Header.Get, read.Body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// several is to two, with one in cc and two in bcc, one of them twice.
func several() channel.Handover {
	h := aMail()
	h.More = []string{"bob@acme.test"}
	h.CC, h.BCC, h.ReplyTo = []string{"Cåro <caro@acme.test>"}, []string{"eve@acme.test", "bob@acme.test"}, "Help <help@acme.test>"
	h.Headers = map[string]string{"x-campaign": "a  b", "references": "<a@b> <c@d>"}
	return h
}

// TestSeveralRecipients: each is named once to the server, and none of bcc in a
// header.
func TestSeveralRecipients(t *testing.T) {
	t.Parallel()
	m := &mailServer{}
	ctx := m.start(t)
	h := several()
	h.Thread = "n_6.1f@efferent.test"
	if out := m.sender(channel.EmailConfig{}).Send(ctx, h); !out.Sent() || out.Reason != "" {
		t.Fatalf("%+v", out)
	}
	_, mails := m.got()
	var named []string
	for _, c := range m.commands {
		if to, ok := strings.CutPrefix(c, "RCPT TO:"); ok {
			named = append(named, to)
		}
	}
	if diff := cmp.Diff([]string{"<ann@acme.test>", "<bob@acme.test>", "<caro@acme.test>", "<eve@acme.test>"}, named); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(mails[0], "eve@") || strings.Contains(mails[0], "Bcc") {
		t.Errorf("bcc is told: %s", mails[0])
	}
	headers, _ := readMail(t, mails[0])
	for name, want := range map[string]string{
		"To": "<ann@acme.test>, <bob@acme.test>", "Cc": "Cåro <caro@acme.test>", "Reply-To": `"Help" <help@acme.test>`, "X-Campaign": "a  b",
		"References": "<a@b> <c@d>", "In-Reply-To": "<n_6.1f@efferent.test>",
	} {
		if got := headers(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestSomeAreRefused: who the server will never take is left out, and told of,
// unless nobody in To is left; who it may take later holds up all.
func TestSomeAreRefused(t *testing.T) {
	t.Parallel()
	const never, later, relay = "550 5.1.1 no such user hush-token", "450 4.7.1 greylisted", "554 5.7.1 Relay access denied"
	for name, c := range map[string]struct {
		refuses map[string]string
		last    bool
		want    channel.Outcome
	}{
		"one in cc": {map[string]string{"caro": never}, false, channel.Outcome{Status: 250, Reason: "refused 1 of 4 recipients"}},
		"one in To": {map[string]string{"ann": never}, false, channel.Outcome{Status: 250, Reason: "refused 1 of 4 recipients"}},
		"all but one in To": {map[string]string{"bob": never, "caro": never, "eve": never}, false, channel.Outcome{Status: 250,
			Reason: "refused 3 of 4"}},
		"all in To": {map[string]string{"ann": never, "bob": never}, false, channel.Outcome{Class: channel.Permanent, Status: 550,
			Reason: "550 5.1.1"}},
		"one for now": {map[string]string{"caro": later}, false, channel.Outcome{Class: channel.Transient, Status: 450, Reason: "450 4.7.1"}},
		"one for our sake": {map[string]string{"eve": relay}, false, channel.Outcome{Class: channel.Configuration, Status: 554,
			Reason: "does not relay"}},
		"one never, one now": {map[string]string{"ann": never, "caro": later}, false, channel.Outcome{Class: channel.Transient, Status: 450,
			Reason: "450"}},
		"one for the last time": {map[string]string{"caro": later, "bob": later}, true,
			channel.Outcome{Status: 250, Reason: "refused 2 of 4 recipients"}},
		"all for the last time": {map[string]string{"ann": never, "bob": later}, true,
			channel.Outcome{Class: channel.Transient, Status: 450, Reason: "450 4.7.1"}},
		"too many for the last time": {map[string]string{"caro": "451 4.7.1 too many mails from you, rate limit exceeded"}, true,
			channel.Outcome{Class: channel.Limited, Status: 451, Reason: "451"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mailServer{says: map[string]string{}, refuses: c.refuses, implicit: true, extensions: []string{"AUTH PLAIN"}}
			ctx := m.start(t)
			h := several()
			h.Last = c.last
			out := m.sender(signedIn(channel.TLSImplicit)).Send(ctx, h)
			_, mails := m.got()
			if (len(mails) == 1) != out.Sent() {
				t.Errorf("%d mails, and %+v", len(mails), out)
			}
			if out.Sent() {
				if want := "550 5.1.1 no such user [secret]"; !c.last && !strings.Contains(out.Response, want) {
					t.Errorf("the response is %q", out.Response)
				}
				out.ProviderID, out.Response = "", ""
			}
			channeltest.Check(t, out, c.want)
		})
	}
}

// TestGreylisted: who is refused for now does not keep the others from being named,
// or each of them would have its own delay after it.
func TestGreylisted(t *testing.T) {
	t.Parallel()
	const later = "450 4.2.0 Greylisted"
	m := &mailServer{refuses: map[string]string{"ann": later, "bob": later, "caro": later, "eve": later}}
	ctx := m.start(t)
	channeltest.Check(t, m.sender(channel.EmailConfig{}).Send(ctx, several()),
		channel.Outcome{Class: channel.Transient, Status: 450, Reason: "450 4.2.0"})
	if n := strings.Count(strings.Join(m.commands, "\n"), "RCPT TO:"); n != 4 {
		t.Errorf("%d recipients were named", n)
	}
}

// TestSenderOfTenant: its address, and the Message-ID's domain.
func TestSenderOfTenant(t *testing.T) {
	t.Parallel()
	for tenant, want := range map[string]string{"acme": "billing@acme.test", "other": "noreply@efferent.test", "": "noreply@efferent.test"} {
		m := &mailServer{}
		ctx := m.start(t)
		h := aMail()
		h.Tenant = tenant
		out := m.sender(channel.EmailConfig{Senders: map[string]string{"acme": "Acme <billing@acme.test>"}}).Send(ctx, h)
		if !slices.Contains(m.commands, "MAIL FROM:<"+want+">") || !strings.HasSuffix(out.ProviderID, want[strings.Index(want, "@"):]) {
			t.Errorf("%s: %v, %s", tenant, m.commands, out.ProviderID)
		}
	}
}

// TestMailRefusedBeforeSending: nothing that only emails have adds a header or a
// recipient.
func TestMailRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*channel.Handover)
		says   string
	}{
		"two more in one":        {func(h *channel.Handover) { h.More = []string{"bob@acme.test, eve@acme.test"} }, "the recipient must be one"},
		"a line break in cc":     {func(h *channel.Handover) { h.CC = []string{"ann@acme.test\r\nBcc: eve@acme.test"} }, "cc or bcc"},
		"a line break in a name": {func(h *channel.Handover) { h.ReplyTo = "A\r\nX: y <ann@acme.test>" }, "reply_to"},
		"a header of ours":       {func(h *channel.Handover) { h.Headers = map[string]string{"Bcc": "eve@acme.test"} }, "headers may have only"},
		"a line break in one": {func(h *channel.Handover) { h.Headers = map[string]string{"X-A": "b\r\nBcc: eve@acme.test"} },
			"printable ASCII"},
		"too much HTML": {func(h *channel.Handover) { h.HTML = strings.Repeat("a", 512<<10+1) }, "html must be at most 512 KiB"},
		"too large a file": {func(h *channel.Handover) {
			h.Attachments = []channel.Attachment{{Name: "a", Content: make([]byte, channel.MaxFiles+1)}}
		}, "10 MiB"},
		"a domain that is none": {func(h *channel.Handover) { h.BCC = []string{"ann@bü_cher.test"} }, "an address in bcc must have a domain"},
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
