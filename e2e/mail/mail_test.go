//go:build mail

// Package mail sends emails by efferent dev to a real Postfix that greylists, and
// looks at them in a real IMAP server.
package mail

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/e2e/program"
	"github.com/efferent/efferent/e2e/scenario"
)

// mailbox is what view.py tells of one.
type mailbox struct {
	Mails   []mail `json:"mails"`
	Threads string `json:"threads"`
}

type mail struct {
	Headers   map[string]string `json:"headers"`
	Defects   []string          `json:"defects"`
	Structure []string          `json:"structure"`
	Text      string            `json:"text"`
	HTML      string            `json:"html"`
	Files     [][]string        `json:"files"`
	Dovecot   string            `json:"dovecot"`
}

// attempt is a part of a record.
type attempt struct {
	Attempt    int       `json:"attempt"`
	At         time.Time `json:"at"`
	Channel    string    `json:"channel"`
	Class      string    `json:"class"`
	Status     int       `json:"status"`
	Verdict    string    `json:"verdict"`
	ProviderID string    `json:"provider_id"`
	Reason     string    `json:"reason"`
	Response   string    `json:"response"`
}

// dev is a running efferent dev.
type dev struct {
	queues *sqs.Client
	http   string
}

// startDev starts one whose mail goes to s, with a file to attach. More is added to its
// environment.
func startDev(t *testing.T, s *servers, more ...string) *dev {
	t.Helper()
	binary := os.Getenv("EFFERENT")
	if binary == "" {
		t.Fatal("EFFERENT does not name the command: use make test-mail")
	}
	var addresses [2]string
	for i := range addresses {
		var err error
		if addresses[i], err = program.FreeAddress(); err != nil {
			t.Fatal(err)
		}
	}
	local, api := addresses[0], addresses[1]
	dir := t.TempDir()
	files := filepath.Join(dir, "mail.attachments", "acme-files", "invoices")
	if err := os.MkdirAll(files, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files, "1042.xml"), []byte("<invoice/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "dev", "--aws", local, "--http", api, "--data", filepath.Join(dir, "mail.db"))
	cmd.Env = append(os.Environ(), "SMTP_HOST=127.0.0.1", "SMTP_PORT="+strconv.Itoa(s.smtp), "SMTP_FROM=Éfferent <noreply@efferent.test>")
	cmd.Env = append(cmd.Env, more...)
	server, err := program.Start(t.Context(), cmd, dir, program.Listens(api))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return &dev{sqs.NewFromConfig(scenario.Config("http://" + local)), "http://" + api}
}

// send puts a notification on the queue and returns its attempts once it is done with.
func (d *dev) send(t *testing.T, id string, members map[string]any) []attempt {
	t.Helper()
	members["channel"] = "email"
	d.put(t, id, members)
	return d.ended(t, id)
}

// put puts a notification on the queue.
func (d *dev) put(t *testing.T, id string, members map[string]any) {
	t.Helper()
	members["id"] = id
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := d.queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("notifications")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl,
		MessageBody: aws.String(string(body))}); err != nil {
		t.Fatal(err)
	}
}

func (d *dev) attempts(t *testing.T, id string) []attempt {
	t.Helper()
	answer, err := http.Get(d.http + "/api/v1/deliveries/" + id)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var read struct {
		Attempts []attempt `json:"attempts"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&read); err != nil {
		t.Fatal(err)
	}
	return read.Attempts
}

// look waits until a mailbox has so many mails. Postfix delivers after it has answered.
func (s *servers) look(t *testing.T, user string, mails int) mailbox {
	t.Helper()
	for ended := time.Now().Add(2 * time.Minute); ; {
		var box mailbox
		out, err := exec.Command(os.Getenv("PYTHON"), "view.py", strconv.Itoa(s.imap), user).Output()
		if err == nil {
			err = json.Unmarshal(out, &box)
		}
		if err == nil && len(box.Mails) == mails {
			return box
		}
		if time.Now().After(ended) {
			t.Fatalf("%s has %d mails, %v", user, len(box.Mails), err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestMail sends an alert and its end through a greylisting Postfix, and looks at what
// each mailbox has of them in Dovecot.
func TestMail(t *testing.T) {
	s := startServers(t)
	d := startDev(t, s)
	made := d.send(t, "n_1", map[string]any{
		"recipient": []string{"ann@acme.test", "bob@acme.test"}, "cc": []string{"Cåro <caro@acme.test>"}, "bcc": []string{"eve@acme.test"},
		"reply_to": "Help <help@efferent.test>", "subject": "Räkning 1042", "headers": map[string]string{"X-Campaign": "invoices"},
		"html": "<h1>Thank you</h1><p>It is <b>paid</b>.</p><img src='cid:logo' alt='Efferent'>", "fallback": []string{"slack"},
		"attachments": []map[string]string{
			{"name": "räkning.pdf", "content": base64.StdEncoding.EncodeToString([]byte("%PDF\x00"))},
			{"name": "logo.png", "content": base64.StdEncoding.EncodeToString([]byte("PNG")), "content_id": "logo"},
			{"s3": "acme-files/invoices/1042.xml"},
		},
	})
	last := made[len(made)-1]
	if len(made) < 2 || made[0].Status != 450 || !strings.Contains(made[0].Response, "Greylisted") || last.Verdict != "delivered" ||
		last.Channel != "email" || last.Reason != "" {
		t.Fatalf("%+v", made)
	}
	if end := d.send(t, "n_2", map[string]any{"recipient": "ann@acme.test", "subject": "Re: Räkning 1042", "body": "It is over.\n",
		"thread": "n_1"}); end[len(end)-1].Verdict != "delivered" {
		t.Fatalf("%+v", end)
	}

	for user, mails := range map[string]int{"ann": 2, "bob": 1, "caro": 1, "eve": 1} {
		box := s.look(t, user, mails)
		invoice := box.Mails[0]
		for name, want := range map[string]string{
			"to": "ann@acme.test, bob@acme.test", "cc": "Cåro <caro@acme.test>", "reply-to": "Help <help@efferent.test>", "subject": "Räkning 1042",
			"from": "Éfferent <noreply@efferent.test>", "x-campaign": "invoices", "message-id": "<" + last.ProviderID + ">", "bcc": "",
		} {
			if got := invoice.Headers[name]; got != want {
				t.Errorf("%s: %s is %q, want %q", user, name, got, want)
			}
		}
		want := mail{
			Structure: []string{"multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png",
				"application/pdf", "application/xml"},
			Text: "Thank you\n\nIt is paid.\n\nEfferent", HTML: "<h1>Thank you</h1><p>It is <b>paid</b>.</p><img src='cid:logo' alt='Efferent'>",
			Files: [][]string{{"logo.png", "inline", "<logo>", "PNG"}, {"räkning.pdf", "attachment", "", "%PDF\x00"},
				{"1042.xml", "attachment", "", "<invoice/>"}},
			Defects: []string{},
		}
		structure := invoice.Dovecot
		invoice.Headers, invoice.Dovecot = nil, ""
		if diff := cmp.Diff(want, invoice); diff != "" {
			t.Errorf("%s: %s", user, diff)
		}
		for _, part := range []string{`"text" "plain"`, `"text" "html"`, `"image" "png"`, `"<logo>"`, `"application" "pdf"`, `"mixed"`} {
			if !strings.Contains(structure, part) {
				t.Errorf("Dovecot sees no %s in %s", part, structure)
			}
		}
		if user == "ann" && box.Threads != "(1 2)" {
			t.Errorf("the threads are %s", box.Threads)
		}
	}
}

// TestUnknownAmongOthers: who Postfix does not know is left out and told of.
func TestUnknownAmongOthers(t *testing.T) {
	s := startServers(t)
	d := startDev(t, s)
	made := d.send(t, "n_1", map[string]any{"recipient": []string{"ann@acme.test", "nobody@acme.test"}, "body": "b", "fallback": []string{}})
	last := made[len(made)-1]
	if last.Verdict != "delivered" || !strings.Contains(last.Reason, "refused 1 of 2 recipients") || !strings.Contains(last.Response,
		"550 5.1.1") {
		t.Errorf("%+v", made)
	}
	s.look(t, "ann", 1)
	made = d.send(t, "n_2", map[string]any{"recipient": "nobody@acme.test", "body": "b", "fallback": []string{}})
	if last := made[len(made)-1]; last.Verdict != "permanent" || last.Class != "permanent" || last.Status != 550 {
		t.Errorf("%+v", made)
	}
	made = d.send(t, "n_3", map[string]any{"recipient": "ann@elsewhere.test", "body": "b", "fallback": []string{}})
	if last := made[len(made)-1]; last.Class != "configuration" || !strings.Contains(last.Reason, "does not relay") {
		t.Errorf("%+v", made)
	}
}
