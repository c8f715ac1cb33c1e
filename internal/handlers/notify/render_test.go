package notify

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/template"
)

func invoicePaid() templates {
	return templates{"invoice-paid": {Name: "invoice-paid", Version: 3, Parts: map[template.Part]string{
		template.Subject: "Invoice {{.number}}", template.Body: "Paid, {{.name}}.", template.HTML: "<p>Paid, {{.name}}.</p>",
		template.SMS: "{{.number}} is paid", template.Slack: "{{.slack}}",
	}}}
}

// TestTemplates are rendered on the channel that the message goes out on.
func TestTemplates(t *testing.T) {
	t.Parallel()
	const with = `{"id":"n_1","channel":"email","recipient":"ann@acme.test","recipients":{"sms":"+46701234567"},"fallback":["sms"],` +
		`"template":"invoice-paid","data":`
	for name, c := range map[string]struct {
		data, end, story, reason string
		emails, sms              int
	}{
		"sent": {`{"number":7,"name":"<Ann>"}`, "sent", "1:email::delivered", "", 1, 0},
		// What is wrong with the data is wrong on all channels: no SMS, though its part could be made.
		"a field is missing": {`{"number":7}`, "parked", "1:email:permanent:permanent",
			"template invoice-paid@3: body, line 1: the field .name is missing in the data", 0, 0},
		"two headers": {`{"number":"7\r\nBcc: eve@evil.test","name":"Ann"}`, "parked", "1:email:permanent:permanent",
			"subject: what it makes must have no line breaks", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.templates = invoicePaid()
			q := w.message("a", with+c.data+"}")
			if end, story := w.run(q), w.story("n_1", q); end != c.end || story != c.story {
				t.Errorf("%s: %s", end, story)
			}
			records := w.recorded("n_1")
			last := records[len(records)-1]
			if !strings.Contains(last.Reason, c.reason) || last.Template != "invoice-paid@3" || len(last.FailedChannels) > 0 {
				t.Errorf("%+v", last)
			}
			if w.count("email") != c.emails || w.count("sms") != c.sms {
				t.Errorf("%d emails, %d SMS", w.count("email"), w.count("sms"))
			}
			if c.emails > 0 {
				if h := w.calls["email"][0]; h.Subject != "Invoice 7" || h.Body != "Paid, <Ann>." || h.HTML != "<p>Paid, &lt;Ann&gt;.</p>" {
					t.Errorf("%+v", h)
				}
			}
		})
	}
}

// TestTemplateOfTheNextChannel: another channel has other parts.
func TestTemplateOfTheNextChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.templates = invoicePaid()
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	q := w.message("a", `{"id":"n_1","channel":"email","recipient":"ann@acme.test","recipients":{"sms":"+46701234567"},"fallback":["sms"],`+
		`"template":"invoice-paid@3","data":{"number":7,"name":"Ann"}}`)
	if end := w.run(q); end != "sent" || w.calls["sms"][0].Body != "7 is paid" || w.calls["sms"][0].Subject != "" {
		t.Errorf("%s: %+v", end, w.calls["sms"])
	}
}

// TestTemplatesThatAreNotThere: what does not exist is permanent, and what can't be read
// uses up no attempt.
func TestTemplatesThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.templates = templates{"troubled": {Name: "troubled", Parts: map[template.Part]string{template.Subject: "trouble"}}}
	q := w.message("a", mail("n_1", `,"template":"none"`))
	if end := w.run(q); end != "parked" || w.count("email") != 0 ||
		!strings.Contains(w.recorded("n_1")[0].Reason, `no such template: "none"`) {
		t.Errorf("%s: %+v", end, w.recorded("n_1"))
	}
	q = w.message("b", mail("n_2", `,"template":"troubled"`))
	if w.receive(w.handler(), q) || w.count("email") != 0 || w.recorded("n_2")[0].Verdict != attempt.Held {
		t.Errorf("%+v", w.recorded("n_2"))
	}
	w.templates["troubled"] = template.Template{Name: "troubled", Version: 1, Parts: map[template.Part]string{template.Body: "there"}}
	if end := w.run(q); end != "sent" || w.calls["email"][0].Body != "there" {
		t.Errorf("%s: %s", end, w.story("n_2", q))
	}
}
