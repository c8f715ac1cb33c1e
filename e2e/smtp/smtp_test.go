//go:build smtp

// Package smtp sends emails to a real mail server, with TLS and a password, and
// has them read by another language's parser.
package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/e2e/certificate"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/smtp"
)

// server is the running server.py.
type server struct {
	StartTLS int `json:"starttls"`
	Implicit int `json:"implicit"`
	trust    *tls.Config
	mails    chan taken
}

// taken is a mail as the server's side read it.
type taken struct {
	Sender     string            `json:"sender"`
	Recipients []string          `json:"recipients"`
	EHLO       string            `json:"ehlo"`
	SMTPUTF8   bool              `json:"smtputf8"`
	Mechanism  string            `json:"mechanism"`
	TLS        bool              `json:"tls"`
	To         []string          `json:"to"`
	From       [][2]string       `json:"from"`
	Headers    map[string]string `json:"headers"`
	Defects    []string          `json:"defects"`
	Text       string            `json:"text"`
	HTML       string            `json:"html"`
	Files      map[string]string `json:"files"`
}

func start(t *testing.T) *server {
	t.Helper()
	python := os.Getenv("SMTP_PYTHON")
	if python == "" {
		t.Fatal("SMTP_PYTHON does not name the Python that has aiosmtpd: use make test-smtp")
	}
	files, err := certificate.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := certificate.Pool(files.Authority)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "server.py", files.Certificate, files.Key)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{trust: &tls.Config{RootCAs: roots}, mails: make(chan taken, 100)}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), s) != nil {
		t.Fatalf("server.py began with %q", lines.Text())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() {
			var m taken
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Errorf("%v in %s", err, lines.Text())
			}
			s.mails <- m
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("server.py: %v", err)
		}
	})
	return s
}

// sender is one with a good password, unless change spoils it.
func (s *server) sender(way string, change func(*channel.EmailConfig)) *smtp.Sender {
	c := channel.EmailConfig{From: "Éfferent <noreply@efferent.test>", Host: "localhost", Port: s.StartTLS, TLS: way, Username: "ann",
		Password: "correct horse", EHLO: "mail.efferent.test"}
	if way == channel.TLSImplicit {
		c.Port = s.Implicit
	}
	change(&c)
	return smtp.New(c, s.trust, func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) })
}

func as(*channel.EmailConfig) {}

func (s *server) last(t *testing.T) taken {
	t.Helper()
	select {
	case m := <-s.mails:
		return m
	case <-time.After(5 * time.Minute):
		t.Fatal("the server has no mail")
		return taken{}
	}
}

func TestMailIsRead(t *testing.T) {
	s := start(t)
	long := strings.Repeat("Blåbærgrød æøå ", 200)
	for _, way := range []string{channel.TLSStart, channel.TLSImplicit} {
		for name, h := range map[string]channel.Handover{
			"plain": {ID: "n_1", Recipient: "ann@acme.test", Subject: "Hi", Body: "Hello\n"},
			"UTF-8": {ID: "n_2", Tenant: "acme", Recipient: "ann+1@acme.test", Subject: "Faktura nr. 1042 er betalt – ¥1.000 🎉",
				Body: "Kære Ann\n\n.\n..\nFrom here on: = 100 %\n日本語\n"},
			"long": {ID: "n_3", Recipient: "ann@acme.test", Subject: long[:400], Body: long + "\n"},
			"leaving": {ID: "n_4", Recipient: "ann@acme.test", Subject: "News", Body: "No more?\n",
				ListUnsubscribe: "https://acme.test/leave?u=" + strings.Repeat("x", 200)},
			"parts": {ID: "n_7", Recipient: "ann@acme.test", Subject: "Hi", Body: "Hello\n", Mail: channel.Mail{HTML: long + "<p>1 = 1</p>\n",
				CC: []string{"Bob <bob@acme.test>"}, BCC: []string{"eve@acme.test"}, ReplyTo: "Hjälp <help@acme.test>",
				Attachments: []channel.Attachment{{Name: "räkning, \"1\".pdf", Content: []byte("\x00\xff\r\n.\r\n")}}}},
			"abroad":          {ID: "n_5", Recipient: "ånn@acme.test", Subject: "Hej", Body: "Hej\n"},
			"a domain abroad": {ID: "n_6", Recipient: "ann@blåbær.test", Subject: "Hej", Body: "Hej\n"},
		} {
			t.Run(way+" "+name, func(t *testing.T) {
				out := s.sender(way, as).Send(t.Context(), h)
				if !out.Sent() {
					t.Fatalf("%+v", out)
				}
				got := s.last(t)
				if strings.ReplaceAll(got.Text, "\r\n", "\n") != h.Body {
					t.Errorf("the text: %s", cmp.Diff(h.Body, got.Text))
				}
				subject := got.Headers["Subject"]
				unsubscribe := got.Headers["List-Unsubscribe"]
				if got.Headers["Message-ID"] != "<"+out.ProviderID+">" || got.Headers["Date"] != "Tue, 24 Nov 2026 12:00:00 +0000" ||
					got.Headers["Auto-Submitted"] != "auto-generated" {
					t.Errorf("the headers are %v, and the outcome tells %q", got.Headers, out.ProviderID)
				}
				if want := h.ListUnsubscribe; unsubscribe != "" != (want != "") || want != "" &&
					(unsubscribe != "<"+want+">" || got.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click") {
					t.Errorf("to unsubscribe: %q", unsubscribe)
				}
				if len(h.Attachments) > 0 {
					if got.Files[h.Attachments[0].Name] != "\u0000\u00ff\r\n.\r\n" || strings.ReplaceAll(got.HTML, "\r\n", "\n") != h.HTML ||
						got.Headers["Cc"] != h.CC[0] || got.Headers["Reply-To"] != h.ReplyTo || len(got.Recipients) != 3 {
						t.Errorf("it has %q, %d bytes of HTML, %v, for %v", got.Files, len(got.HTML), got.Headers, got.Recipients)
					}
					got.Recipients = got.Recipients[:1]
				}
				got.Headers, got.Text, got.HTML, got.Files = nil, "", "", nil
				to := strings.Replace(h.Recipient, "blåbær.test", "xn--blbr-roah.test", 1)
				want := taken{Sender: "noreply@efferent.test", Recipients: []string{to}, To: []string{to},
					EHLO: "mail.efferent.test", SMTPUTF8: name == "abroad",
					From: [][2]string{{"Éfferent", "noreply@efferent.test"}}, Mechanism: "PLAIN", TLS: true, Defects: []string{}}
				if name == "abroad" { // which is what makes it so
					want.Defects = []string{"local-part contains non-ASCII characters)"}
				}
				if diff := cmp.Diff(want, got); diff != "" || subject != strings.TrimSpace(h.Subject) {
					t.Errorf("the subject %q; -want +got:\n%s", subject, diff)
				}
			})
		}
	}
}

func TestWhatTheServerRefuses(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		recipient string
		change    func(*channel.EmailConfig)
		trust     *tls.Config
		class     channel.Class
		says      string
		taken     bool
	}{
		"a wrong password": {"ann@acme.test", func(c *channel.EmailConfig) { c.Password = "hush" }, s.trust, channel.Configuration,
			"check username and password", false},
		"no password": {"ann@acme.test", func(c *channel.EmailConfig) { c.Username, c.Password = "", "" }, s.trust,
			channel.Configuration, "530", false},
		"a certificate untrusted": {"ann@acme.test", as, nil, channel.Configuration, "certificate is not trusted", false},
		"a recipient unknown":     {"nobody@acme.test", as, s.trust, channel.Permanent, "550", false},
		"a recipient busy":        {"busy@acme.test", as, s.trust, channel.Transient, "450", false},
		"relaying denied":         {"elsewhere@acme.test", as, s.trust, channel.Configuration, "does not relay", false},
		"an answer lost":          {"lost@acme.test", as, s.trust, channel.Unknown, "may have been taken", true},
	} {
		for _, way := range []string{channel.TLSStart, channel.TLSImplicit} {
			t.Run(name+" "+way, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
				defer stop()
				there := *s
				there.trust = c.trust
				out := there.sender(way, c.change).Send(ctx, channel.Handover{ID: "n_1", Recipient: c.recipient, Subject: "Hi", Body: "Hello"})
				if out.Class != c.class || !strings.Contains(out.Reason, c.says) || strings.Contains(out.Reason, "@") ||
					strings.Contains(out.Reason, "hush") {
					t.Errorf("%+v", out)
				}
				if c.taken {
					s.last(t)
				}
				if len(s.mails) != 0 {
					t.Errorf("the server took %+v", <-s.mails)
				}
			})
		}
	}
}

// TestOurName: without one of ours, the server is told a full name or an
// address.
func TestOurName(t *testing.T) {
	s := start(t)
	out := s.sender(channel.TLSImplicit, func(c *channel.EmailConfig) { c.EHLO = "" }).Send(t.Context(),
		channel.Handover{ID: "n_1", Recipient: "ann@acme.test", Subject: "Hi", Body: "Hello\n"})
	if !out.Sent() {
		t.Fatalf("%+v", out)
	}
	if name := s.last(t).EHLO; !channel.IsFullName(name) && name != "[127.0.0.1]" && name != "[IPv6:::1]" {
		t.Errorf("it is %q", name)
	}
}
