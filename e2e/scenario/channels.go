package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/standin"
)

// byWebhooks sends by the channels whose recipients are names in a secret, changes what
// was sent where that can be, and names one that is not there.
func (p *people) byWebhooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on              channel.Name
		name, to, holds string
		canUpdate       bool
	}{
		{channel.Teams, "ops", "ops", `"text":"It is paid."`, false},
		{channel.Discord, "ops", "1", "It is paid.", true},
		{channel.Webhook, "machine", "machine", `"body":"It is paid."`, false},
	} {
		id := string(c.on) + "-" + uuid.NewString()[:8]
		p.SendTo(t, notifications, fmt.Sprintf(`{"id":%q,"channel":%q,"recipient":%q,"body":"It is paid.","fallback":[]}`, id, c.on, c.name))
		if got := story(p.Attempts(t, id)); got != string(c.on)+":delivered" {
			t.Errorf("%s: %s", c.on, got)
		}
		if taken := p.providers.Taken(c.to); !slices.ContainsFunc(taken, func(m standin.Message) bool {
			return m.On == c.on && strings.Contains(m.Text, c.holds)
		}) {
			t.Errorf("%s took %+v", c.on, taken)
		}
		if c.canUpdate {
			p.update(t, c.on, c.name, c.to, id)
		}
		id += "-2"
		p.SendTo(t, notifications, fmt.Sprintf(`{"id":%q,"channel":%q,"recipient":"nobody","body":"b","fallback":[]}`, id, c.on))
		if got := story(p.Attempts(t, id)); got != string(c.on)+":permanent" {
			t.Errorf("%s: %s", c.on, got)
		}
	}
}

func (p *people) update(t *testing.T, on channel.Name, name, to, earlier string) {
	t.Helper()
	id := earlier + "-over"
	p.SendTo(t, notifications, fmt.Sprintf(`{"id":%q,"channel":%q,"recipient":%q,"body":"It is over.","update":%q,"fallback":[]}`,
		id, on, name, earlier))
	records := p.Attempts(t, id)
	first := p.Attempts(t, earlier)
	called := first[len(first)-1].ProviderID
	if story(records) != string(on)+":delivered" || called == "" || !slices.ContainsFunc(p.providers.Taken(to), func(m standin.Message) bool {
		return m.Earlier == called && m.Text == "It is over."
	}) {
		t.Errorf("%s: %s; it is called %q", on, story(records), called)
	}
}

// wholeEmails sends one mail to several, and a message to each of several.
func (p *people) wholeEmails(t *testing.T) {
	t.Parallel()
	a, b, unseen := p.person("mail"), p.person("mail"), p.person("mail")
	p.SendTo(t, notifications, fmt.Sprintf(`{"id":%q,"channel":"email","recipient":[%q,%q],"bcc":[%q],"html":"<p>It is <b>paid</b>.",`+
		`"attachments":[{"name":"a.txt","content":"SGVsbG8="}],"fallback":[]}`, a.id, a.email, b.email, unseen.email))
	if got := story(p.Attempts(t, a.id)); got != "email:delivered" {
		t.Fatal(got)
	}
	text := p.took(t, a.email, 1)
	if p.took(t, b.email, 1) != text || p.took(t, unseen.email, 1) != text || strings.Contains(text, unseen.email) ||
		!strings.Contains(text, "text/html") || !strings.Contains(text, "filename=a.txt") {
		t.Errorf("they got %s", text)
	}

	each := p.person("each")
	p.SendTo(t, notifications, fmt.Sprintf(`{"id":%q,"channel":"sms","recipient":[%q,%q],"each":true,"body":"b","fallback":[]}`,
		each.id, a.sms, b.sms))
	p.historyUntil(t, each.id, func(records []attempt.Record) bool {
		return len(records) == 2 && !slices.ContainsFunc(records, func(r attempt.Record) bool { return r.Verdict != attempt.Delivered })
	})
	p.took(t, a.sms, 1)
	p.took(t, b.sms, 1)
}
