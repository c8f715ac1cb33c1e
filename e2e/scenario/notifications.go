package scenario

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/standin"
)

const (
	notifications        = "notifications"
	notificationFailures = "notification-failures"
)

// Notifications runs the scenarios of notifications, against stand-ins of the
// providers on this machine. It fills the channels' secrets, so nothing may
// have asked for them before.
func Notifications(t *testing.T, s *Stack) {
	n := &people{Stack: s, answers: map[string][]standin.Answer{}}
	var err error
	if n.providers, err = standin.Start(n.answer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.providers.Close() })
	secrets := n.providers.Secrets()
	if s.Callback != nil {
		secrets[channel.SMSSecret], n.twilioKey = reporting(t, secrets[channel.SMSSecret])
	}
	for name, value := range secrets {
		s.putSecretValue(t, name, value)
	}
	t.Run("by every channel", n.byEveryChannel)
	t.Run("by webhooks of teams, Discord and machines", n.byWebhooks)
	t.Run("whole emails, and one each", n.wholeEmails)
	t.Run("fallbacks", n.fallbacks)
	t.Run("addresses and lengths", n.addresses)
	t.Run("an SMS that may have been sent", n.unknownSMS)
	t.Run("one SMS for two messages", n.sameSMS)
	t.Run("one id for several people", n.oneIDForPeople)
	t.Run("bad input", n.badNotifications)
	if s.Callback != nil {
		t.Run("reports", n.reports)
		t.Run("reports that can't be read", n.badReports)
	}
}

// people are recipients whose providers answer by script.
type people struct {
	*Stack
	providers *standin.Providers
	twilioKey string // signs what Twilio calls back

	mu      sync.Mutex
	answers map[string][]standin.Answer // by recipient, the last one for ever
}

func (p *people) answer(_ channel.Name, to string, nth int) standin.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	script := p.answers[to]
	if len(script) == 0 {
		return standin.Take
	}
	return script[min(nth, len(script))-1]
}

// person is somebody new on every channel.
type person struct{ id, email, slack, sms string }

func (p *people) person(name string) person {
	id := uuid.New()
	digits := fmt.Sprintf("%012d", id.ID())
	return person{name + "-" + id.String()[:8], "ann." + digits + "@acme.test", "C" + digits, "+46" + digits}
}

// says makes the providers answer so, the last one for ever.
func (p *people) says(to string, answers ...standin.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[to] = answers
}

// text is a notification to o; more are further fields of it.
func (o person) text(on channel.Name, more string) string {
	to := map[channel.Name]string{channel.Email: o.email, channel.Slack: o.slack, channel.SMS: o.sms}[on]
	return fmt.Sprintf(`{"id":%q,"channel":%q,"recipient":%q,"recipients":{"email":%q,"slack":%q,"sms":%q},"subject":"Ångström <1>",`+
		`"body":"Zwölf & \n.more"%s}`,
		o.id, on, to, o.email, o.slack, o.sms, more)
}

// putSecretValue creates a secret, or replaces its value.
func (s *Stack) putSecretValue(t *testing.T, name, value string) {
	t.Helper()
	if _, err := s.Secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &name, SecretString: &value}); err != nil {
		s.PutSecret(t, name, value)
	}
}

// story tells the attempts: "email:permanent slack:delivered".
func story(records []attempt.Record) string {
	var all []string
	for _, r := range records {
		what := r.Class
		if r.Verdict == attempt.Delivered {
			what = "delivered"
		}
		all = append(all, r.Channel+":"+what)
	}
	return strings.Join(all, " ")
}

// took checks how many messages an address got, and gives the last.
func (p *people) took(t *testing.T, to string, want int) string {
	t.Helper()
	got := p.providers.Taken(to)
	if len(got) != want {
		t.Fatalf("%s got %d messages, want %d", to, len(got), want)
	}
	if want == 0 {
		return ""
	}
	return got[want-1].Text
}

func (p *people) byEveryChannel(t *testing.T) {
	t.Parallel()
	for on, read := range map[channel.Name]func(*testing.T, string) string{
		channel.Email: readMail, channel.Slack: asItIs, channel.SMS: asItIs,
	} {
		o := p.person("plain")
		p.SendTo(t, notifications, o.text(on, `,"fallback":[]`))
		records := p.Attempts(t, o.id)
		last := records[len(records)-1]
		if story(records) != string(on)+":delivered" || last.Recipient == "" || on != channel.Slack && last.ProviderID == "" ||
			len(last.FailedChannels) != 0 {
			t.Errorf("%s: %s, %+v", on, story(records), last)
		}
		want := map[channel.Name]string{
			channel.Email: "Ångström <1>|Zwölf & \n.more",
			channel.Slack: "*Ångström &lt;1&gt;*\nZwölf &amp; \n.more",
			channel.SMS:   "Ångström <1>: Zwölf & \n.more",
		}[on]
		if got := read(t, p.took(t, map[channel.Name]string{channel.Email: o.email, channel.Slack: o.slack, channel.SMS: o.sms}[on],
			1)); got != want {
			t.Errorf("%s brought %q, want %q", on, got, want)
		}
	}
}

func asItIs(_ *testing.T, text string) string { return text }

// readMail parses a mail and gives its subject and its text.
func readMail(t *testing.T, text string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	body := m.Body
	switch m.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return subject + "|" + strings.TrimRight(strings.ReplaceAll(string(all), "\r\n", "\n"), "\n")
}

// fallbacks are the ways from a failure to another channel, by its class.
func (p *people) fallbacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		on     channel.Name
		more   string
		says   map[channel.Name][]standin.Answer
		want   string
		parked bool
	}{
		{name: "email is refused, Slack takes it", on: channel.Email, says: map[channel.Name][]standin.Answer{channel.Email: {standin.Never}},
			want: "email:permanent slack:delivered"},
		{name: "SMS is refused, email takes it", on: channel.SMS, says: map[channel.Name][]standin.Answer{channel.SMS: {standin.Never}},
			want: "sms:permanent email:delivered"},
		{name: "email is busy twice", on: channel.Email, says: map[channel.Name][]standin.Answer{
			channel.Email: {standin.Later, standin.Later, standin.Take}},
			want: "email:transient email:transient email:delivered"},
		{name: "Slack is busy for long", on: channel.Slack, says: map[channel.Name][]standin.Answer{channel.Slack: {standin.Later}},
			want: "slack:transient slack:transient slack:transient slack:transient email:delivered"},
		{name: "the mail server refuses us", on: channel.Email, more: `,"fallback":["sms"]`,
			says: map[channel.Name][]standin.Answer{channel.Email: {standin.Refuse}},
			want: "email:configuration sms:delivered"},
		{name: "the mail server does not relay", on: channel.Email, more: `,"fallback":["sms"]`,
			says: map[channel.Name][]standin.Answer{channel.Email: {standin.Relay}},
			want: "email:configuration sms:delivered"},
		{name: "the answer to an email is lost", on: channel.Email,
			says: map[channel.Name][]standin.Answer{channel.Email: {standin.Lose, standin.Take}},
			want: "email:unknown email:delivered"},
		{name: "the recipient has opted out", on: channel.SMS, says: map[channel.Name][]standin.Answer{channel.SMS: {standin.OptedOut}},
			want: "sms:opted_out", parked: true},
		{name: "opted out, and wants the others", on: channel.SMS, more: `,"fallback_on_opt_out":true`,
			says: map[channel.Name][]standin.Answer{channel.SMS: {standin.OptedOut}},
			want: "sms:opted_out email:delivered"},
		{name: "no fallback", on: channel.Email, more: `,"fallback":[]`, says: map[channel.Name][]standin.Answer{channel.Email: {standin.Never}},
			want: "email:permanent", parked: true},
		{name: "nobody takes it", on: channel.SMS, more: `,"fallback":["slack","email"]`,
			says: map[channel.Name][]standin.Answer{channel.SMS: {standin.Never}, channel.Slack: {standin.Never}, channel.Email: {standin.Never}},
			want: "sms:permanent slack:permanent email:permanent", parked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := p.person("fallback")
			for on, answers := range c.says {
				p.says(map[channel.Name]string{channel.Email: o.email, channel.Slack: o.slack, channel.SMS: o.sms}[on], answers...)
			}
			p.SendTo(t, notifications, o.text(c.on, c.more))
			records := ofOneMessage(p.Attempts(t, o.id))
			if got := story(records); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if first := records[0]; c.says[c.on][0] != standin.Lose && (first.Response == "" || strings.Contains(first.Reason, "denied")) {
				t.Errorf("what the provider said is not kept, or told: %+v", first)
			}
			if c.parked {
				p.Failures(t, notificationFailures, notifications, o.id)
			}
		})
	}
}

// ofOneMessage are the attempts of the first message: where the answer to a send
// is lost, the SDK sends again, and there are two.
func ofOneMessage(records []attempt.Record) []attempt.Record {
	return attempt.OfOrigin(records, records[0].OriginID())
}

// addresses: what one channel can't take, another may.
func (p *people) addresses(t *testing.T) {
	t.Parallel()
	const idn = "bücher.test"
	for _, c := range []struct {
		name       string
		on         channel.Name
		change     func(person) (old, replaced string)
		want, says string
	}{
		{"no email address", channel.Email, func(o person) (string, string) { return o.email, "ann" },
			"email:permanent slack:delivered", "must be one email address"},
		{"a line break in one", channel.Email, func(o person) (string, string) { return o.email, `a@b.test\r\nBcc: ` + o.email },
			"email:permanent slack:delivered", "line breaks"},
		{"a domain that is none", channel.Email, func(o person) (string, string) { return o.email, "ann@bü_cher.test" },
			"email:permanent slack:delivered", "domain"},
		{"no phone number", channel.SMS, func(o person) (string, string) { return o.sms, "0701" },
			"sms:permanent email:delivered", "E.164"},
		{"too long for an SMS", channel.SMS, func(person) (string, string) { return "Zwölf", strings.Repeat("x", 2000) },
			"sms:permanent email:delivered", "1600 characters"},
		{"a number that is not used", channel.Email, func(o person) (string, string) { return o.sms, "0701" }, "email:delivered", ""},
		{"a domain of another script", channel.Email, func(o person) (string, string) { return o.email, o.id + "@" + idn },
			"email:delivered", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := p.person("address")
			before, after := c.change(o)
			p.SendTo(t, notifications, strings.ReplaceAll(o.text(c.on, ""), before, after))
			records := p.Attempts(t, o.id)
			if got := story(records); got != c.want || !strings.Contains(records[0].Reason, c.says) {
				t.Errorf("%s: %+v", got, records[0])
			}
			if strings.HasSuffix(after, idn) {
				p.took(t, o.id+"@xn--bcher-kva.test", 1)
			}
		})
	}
}

// unknownSMS loses the answer to an SMS: it is not sent again, nor anywhere
// else, until somebody replays it.
func (p *people) unknownSMS(t *testing.T) {
	t.Parallel()
	o := p.person("unknown")
	p.says(o.sms, standin.Lose, standin.Take)
	p.SendTo(t, notifications, o.text(channel.SMS, ""))
	if got := story(p.Attempts(t, o.id)); got != "sms:unknown" {
		t.Errorf("got %s", got)
	}
	p.Failures(t, notificationFailures, notifications, o.id)
	p.took(t, o.sms, 1)
	p.took(t, o.email, 0)
	if p.API == nil {
		return
	}
	item := p.parkedAs(t, o.id)
	if item.Channel != "sms" || !strings.Contains(item.Reason, "not sent again") {
		t.Errorf("listed as %+v", item)
	}
	if status := p.Insist(t, "POST", "/dlq/"+notificationFailures+"/replay/"+item.ItemID); status != http.StatusAccepted {
		t.Fatalf("the replay was answered %d", status)
	}
	if got := story(p.AttemptsUntil(t, o.id, delivered)); got != "sms:unknown sms:delivered" {
		t.Errorf("after the replay %s", got)
	}
	p.took(t, o.sms, 2)
}

// parkedAs finds a notification in the list of its dead-letter queue.
func (p *people) parkedAs(t *testing.T, id string) replay.Item {
	t.Helper()
	var page replay.Items
	p.Call(t, "GET", "/dlq?limit=200&channel=sms&queue="+notificationFailures, "", &page)
	for _, i := range page.Items {
		if i.WebhookID == id {
			return i
		}
	}
	t.Fatalf("%s is not listed: %+v", id, page)
	return replay.Item{}
}

// sameSMS sends one notification as ten messages at once.
func (p *people) sameSMS(t *testing.T) {
	t.Parallel()
	o := p.person("same")
	var texts []string
	for range 10 {
		texts = append(texts, o.text(channel.SMS, ""))
	}
	p.SendTo(t, notifications, texts...)
	p.historyUntil(t, o.id, func(records []attempt.Record) bool {
		return len(records) == len(texts) && !slices.ContainsFunc(records, func(r attempt.Record) bool { return r.Verdict != attempt.Delivered })
	})
	if asked := p.providers.Asked(channel.SMS, o.sms); asked != 1 {
		t.Errorf("Twilio was asked %d times", asked)
	}
}

// oneIDForPeople sends one event's id to several people, and to one of them for
// two tenants: each gets an SMS, and is recorded with it.
func (p *people) oneIDForPeople(t *testing.T) {
	t.Parallel()
	ann, bob := p.person("shared"), p.person("shared")
	bob.id = ann.id
	p.SendTo(t, notifications, ann.text(channel.SMS, ""), bob.text(channel.SMS, ""), ann.text(channel.SMS, `,"tenant":"acme"`),
		ann.text(channel.SMS, `,"tenant":"beta"`))
	records := p.historyUntil(t, ann.id, func(records []attempt.Record) bool {
		return len(records) == 4 && !slices.ContainsFunc(records, func(r attempt.Record) bool { return r.Verdict != attempt.Delivered })
	})
	p.took(t, ann.sms, 3)
	p.took(t, bob.sms, 1)
	for _, r := range records {
		if r.ProviderID == "" {
			t.Errorf("recorded as reached, and sent nothing: %+v", r)
		}
	}
}

func (p *people) badNotifications(t *testing.T) {
	t.Parallel()
	o := p.person("bad")
	for _, c := range []struct{ name, text, reason string }{
		{"unknown channel", o.text("fax", ""), `field "channel"`},
		{"empty recipient", strings.Replace(o.text(channel.Email, ""), `"recipient":"`+o.email+`"`, `"recipient":""`, 1), `field "recipient"`},
		{"an address of null", strings.Replace(o.text(channel.Email, ""), `"sms":"`+o.sms+`"`, `"sms":null`, 1), `field "recipients"`},
		{"newline in the subject", strings.Replace(o.text(channel.Email, ""), "Ångström", `a\r\nBcc: eve@acme.test`, 1), `field "subject"`},
		{"own channel as fallback", o.text(channel.Email, `,"fallback":["email"]`), `field "fallback"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := o.id + "-" + strings.ReplaceAll(c.name, " ", "-")
			p.SendTo(t, notifications, strings.Replace(c.text, o.id, id, 1))
			records := p.Attempts(t, id)
			if len(records) != 1 || records[0].Verdict != attempt.Permanent || !strings.Contains(records[0].Reason, c.reason) {
				t.Errorf("got %+v", records)
			}
			p.Failures(t, notificationFailures, notifications, id)
		})
	}
	t.Cleanup(func() { p.took(t, o.email, 0) })
}
