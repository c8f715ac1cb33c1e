package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/recipient"
)

// is keeps a recipient as it stands here, whatever was there.
func (w *world) is(tenant, id, text string) {
	w.t.Helper()
	r, err := recipient.Read([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	r.ID, r.Tenant = id, tenant
	was, _ := w.store.Recipients(w.t.Context(), []recipient.Key{r.Key()})
	if r.Version = 1; len(was) > 0 {
		r.Version += was[0].Version
	}
	if err := r.Check(); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.PutRecipient(w.t.Context(), r, r.Version-1); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) gone(tenant, id string) {
	was, _ := w.store.Recipients(w.t.Context(), []recipient.Key{{Tenant: tenant, ID: id}})
	if err := w.store.DeleteRecipient(w.t.Context(), was[0].Key(), was[0].Version); err != nil {
		w.t.Fatal(err)
	}
}

// to is a message to somebody of the directory.
func to(id, more string) string {
	return fmt.Sprintf(`{"id":%q,"tenant":"acme","subject":"s","body":"b","retry":"seed",%s}`, id, more)
}

const annIs = `{"addresses":{"email":["ann@acme.test","ann@home.test"],"slack":"U123","sms":"+46701234567"},"channels":["slack","email"],
	"topics":{"invoice.*":{"opted_out":false,"channels":["sms"]},"marketing.*":{"opted_out":true},"marketing.weekly":{"opted_out":false},
	"fax":{"opted_out":false,"channels":["sms","email"]}}}`

var refusedBy = channel.Outcome{Class: channel.Permanent, Reason: "no"}

// TestToARecipient: who is named is reached as they want, and the record says who it was
// and about what.
func TestToARecipient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, story, why string }{
		"their first channel":       {`"to":"user_7"`, "1:slack::delivered", ""},
		"a topic's":                 {`"to":"user_7","topic":"invoice.paid"`, "1:sms::delivered", ""},
		"a topic that is not":       {`"to":"user_7","topic":"invoice"`, "1:slack::delivered", ""},
		"the message's channel":     {`"to":"user_7","channel":"sms"`, "1:sms::delivered", ""},
		"the message's own address": {`"to":"user_7","channel":"sms","recipients":{"sms":"+46709999999"}`, "1:sms::delivered", ""},
		"opted out":                 {`"to":"user_7","topic":"marketing.new"`, "1::opted_out:permanent", `topic "marketing.new" ("marketing.*")`},
		"opted out, whatever the message says": {
			`"to":"user_7","topic":"marketing.new","channel":"email","fallback":["sms"],"fallback_on_opt_out":true`,
			"1::opted_out:permanent", "has opted out"},
		"and in again":             {`"to":"user_7","topic":"marketing.weekly"`, "1:slack::delivered", ""},
		"nobody":                   {`"to":"user_8"`, "1::permanent:permanent", `the tenant "acme" has no recipient "user_8"`},
		"with no address":          {`"to":"lost"`, "1::configuration:permanent", `the recipient "lost" has no address on any channel`},
		"with none for the topic":  {`"to":"bob","topic":"fax"`, "1::configuration:permanent", `has no address for sms`},
		"several emails":           {`"to":"user_7","channel":"email"`, "1:email::delivered", ""},
		"to each of several":       {`"to":["user_7"],"channel":"sms"`, "1:sms::delivered", ""},
		"an address of nobody's":   {`"to":"lost","recipients":{"slack":"C1"}`, "1:slack::delivered", ""},
		"beside recipient":         {`"to":"user_7","channel":"sms","recipient":"+4670"`, "1:sms::permanent", "can't stand beside recipient"},
		"a topic and no recipient": {`"topic":"invoice.paid","channel":"email","recipient":"a@b.test"`, "1:email::delivered", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.is("acme", "user_7", annIs)
			w.is("acme", "lost", `{}`)
			w.is("acme", "bob", `{"addresses":{"email":"bob@acme.test"},"topics":{"fax":{"opted_out":false,"channels":["sms"]}}}`)
			q := w.message("1", to("n_7", c.text))
			end := w.run(q)
			if got := w.story("n_7", q); got != c.story || (end == "sent") != strings.HasSuffix(c.story, "delivered") {
				t.Errorf("%s: %s", end, got)
			}
			last := w.recorded("n_7")[0]
			if !strings.Contains(last.Reason, c.why) || c.why == "" && last.Reason != "" {
				t.Errorf("the reason is %q", last.Reason)
			}
			if strings.Contains(c.text, `"to":"user_7"`) != (last.To == "user_7" || strings.Contains(c.text, "beside")) &&
				!strings.Contains(c.text, "[") {
				t.Errorf("the record is to %q", last.To)
			}
			if last.Topic != "" != strings.Contains(c.text, `"topic"`) {
				t.Errorf("the record's topic is %q", last.Topic)
			}
		})
	}
}

// TestTheRestOfTheChain: a channel that fails is followed by the next of the recipient's,
// or by those that the message names.
func TestTheRestOfTheChain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"to":"user_7"`:                               "slack email",
		`"to":"user_7","channel":"email"`:             "email slack",
		`"to":"user_7","channel":"sms"`:               "sms slack email",
		`"to":"user_7","fallback":["sms"]`:            "slack sms",
		`"to":"user_7","fallback":["slack","email"]`:  "slack email",
		`"to":"user_7","fallback":[]`:                 "slack",
		`"to":"user_7","topic":"fax"`:                 "sms email",
		`"to":"bob"`:                                  "email sms",
		`"to":"bob","fallback":["discord","teams"]`:   "email discord teams",
		`"to":"bob","channel":"slack","fallback":[]`:  "slack",
		`"to":"bob","channel":"email","topic":"fax"`:  "email sms",
		`"to":"bob","recipients":{"discord":"ops"}`:   "email sms discord",
		`"to":"user_7","channel":"email","topic":"a"`: "email slack",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.is("acme", "user_7", annIs)
			w.is("acme", "bob", `{"addresses":{"sms":"+46701111111","email":"bob@acme.test"}}`)
			for _, on := range channel.Names {
				w.answers[on] = []channel.Outcome{refusedBy}
			}
			w.run(w.message("1", to("n_7", text)))
			records := w.recorded("n_7")
			if got := strings.Join(records[len(records)-1].FailedChannels, " "); got != want {
				t.Errorf("it was tried on %s, want %s", got, want)
			}
		})
	}
}

// TestSeveralAddresses: all of somebody's email addresses get one email, as a fallback too.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is("acme", "user_7", annIs)
	w.answers[channel.Slack] = []channel.Outcome{refusedBy}
	w.run(w.message("1", to("n_7", `"to":"user_7"`)))
	h := w.calls[channel.Email][0]
	if h.Recipient != "ann@acme.test" || !slices.Equal(h.More, []string{"ann@home.test"}) {
		t.Errorf("it went to %s, %v", h.Recipient, h.More)
	}
	if r := w.recorded("n_7")[1]; r.Recipient != "ann@acme.test, ann@home.test" {
		t.Errorf("the record says %s", r.Recipient)
	}
}

// TestTwoTenantsWithTheSameUser: each tenant has people of its own.
func TestTwoTenantsWithTheSameUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is("acme", "user_7", `{"addresses":{"email":"ann@acme.test"}}`)
	w.is("beta", "user_7", `{"addresses":{"email":"bob@beta.test"},"topics":{"*":{"opted_out":true}}}`)
	w.is("", "user_7", `{"addresses":{"email":"eve@nobody.test"}}`)
	h := w.handler()
	for i, tenant := range []string{"acme", "beta", ""} {
		w.receive(h, w.message(fmt.Sprint(i), fmt.Sprintf(`{"id":"n_%d","tenant":%q,"to":"user_7","body":"b"}`, i, tenant)))
	}
	var got []string
	for _, h := range w.calls[channel.Email] {
		got = append(got, h.Recipient)
	}
	if want := []string{"ann@acme.test", "eve@nobody.test"}; !slices.Equal(got, want) {
		t.Errorf("it went to %v, want %v", got, want)
	}
}

// TestPeopleAreReadTogether: one read for a batch, and none where nobody is named.
func TestPeopleAreReadTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var event events.SQSEvent
	for i := range 8 {
		w.is("acme", fmt.Sprint("user_", i/2), `{"addresses":{"email":"ann@acme.test"}}`)
		event.Records = append(event.Records, w.message(fmt.Sprint(i), to(fmt.Sprint("n_", i), fmt.Sprintf(`"to":"user_%d"`, i/2))).msg)
	}
	event.Records = append(event.Records, w.message("8", text("n_8", channel.Email, "")).msg, w.message("9", "none").msg)
	if _, err := w.handler().Handle(t.Context(), event); err != nil || w.ops["people"] != 1 || w.count(channel.Email) != 9 {
		t.Errorf("%d reads, %d emails, %v", w.ops["people"], w.count(channel.Email), err)
	}
	if _, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: event.Records[8:]}); err != nil || w.ops["people"] != 1 {
		t.Errorf("%d reads where nobody is named, %v", w.ops["people"], err)
	}
}

// TestPeopleThatCannotBeRead: what can't be looked up is held, and uses up no attempt;
// others of the batch go out.
func TestPeopleThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is("acme", "user_7", annIs)
	w.fault["people"] = on(1, fails)
	h, q := w.handler(), w.message("1", to("n_7", `"to":"user_7"`))
	if w.receive(h, q) || w.recorded("n_7")[0].Verdict != attempt.Held || w.count(channel.Slack) != 0 {
		t.Fatalf("it was not held: %+v", w.recorded("n_7"))
	}
	if end := w.run(q); end != "sent" || w.story("n_7", q) != "1:slack::delivered" {
		t.Errorf("%s: %s", end, w.story("n_7", q))
	}
}

// TestPreferencesChange: a message goes by what its recipient wants now; the channels that
// are done with stay so.
func TestPreferencesChange(t *testing.T) {
	t.Parallel()
	const emailFirst = `{"addresses":{"email":"ann@acme.test","sms":"+46701234567","slack":"U123"},"channels":["email","sms"]}`
	down := channel.Outcome{Class: channel.Transient, Reason: "down"}
	for name, c := range map[string]struct {
		answers map[channel.Name][]channel.Outcome
		change  func(*world)
		story   string
		sms     int
	}{
		"another first": {map[channel.Name][]channel.Outcome{channel.Email: {down}},
			func(w *world) {
				w.is("acme", "user_7", strings.Replace(emailFirst, `"channels":["email","sms"]`, `"channels":["slack"]`, 1))
			},
			"1:email:transient:retryable 2:slack::delivered", 0},
		"another address": {map[channel.Name][]channel.Outcome{channel.Email: {down, {}}},
			func(w *world) { w.is("acme", "user_7", strings.Replace(emailFirst, `ann@`, `new@`, 1)) },
			"1:email:transient:retryable 2:email::delivered", 0},
		"a channel that is done with comes first": {map[channel.Name][]channel.Outcome{channel.Email: {refusedBy}, channel.SMS: {down, {}}},
			func(w *world) {
				w.is("acme", "user_7", strings.Replace(emailFirst, `["email","sms"]`, `["email","slack"]`, 1))
			},
			"1:email:permanent:retryable 2:sms:transient:retryable 3:slack::delivered", 1},
		"none is left but what is done with": {map[channel.Name][]channel.Outcome{channel.Email: {refusedBy}, channel.SMS: {down}},
			func(w *world) { w.is("acme", "user_7", strings.Replace(emailFirst, `["email","sms"]`, `["email"]`, 1)) },
			"1:email:permanent:retryable 2:sms:transient:retryable 3::permanent:permanent", 1},
		"opted out meanwhile": {map[channel.Name][]channel.Outcome{channel.Email: {down}},
			func(w *world) { w.is("acme", "user_7", `{"topics":{"*":{"opted_out":true}}}`) },
			"1:email:transient:retryable 2::opted_out:permanent", 0},
		"removed meanwhile": {map[channel.Name][]channel.Outcome{channel.Email: {down}},
			func(w *world) { w.gone("acme", "user_7") }, "1:email:transient:retryable 2::permanent:permanent", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.is("acme", "user_7", emailFirst)
			w.answers = c.answers
			q := w.message("1", to("n_7", `"to":"user_7","topic":"invoice"`))
			w.receive(w.handler(), q)
			c.change(w)
			w.run(q)
			if got := w.story("n_7", q); got != c.story || w.count(channel.SMS) != c.sms {
				t.Errorf("%d SMS: %s", w.count(channel.SMS), got)
			}
		})
	}
}

// TestNoSecondSMSToANewNumber: whose process died around an SMS is sent no other, to
// whatever number.
func TestNoSecondSMSToANewNumber(t *testing.T) {
	t.Parallel()
	for op, f := range map[string]fault{"send": crashAfter, "settle": crash, "record": crash} {
		w := newWorld(t)
		w.is("acme", "user_7", `{"addresses":{"sms":"+46701234567"}}`)
		w.fault[op] = on(1, f)
		q := w.message("1", to("n_7", `"to":"user_7"`))
		w.receive(w.handler(), q)
		w.is("acme", "user_7", `{"addresses":{"sms":"+46709999999"}}`)
		w.run(q)
		if w.reached[channel.SMS] != 1 {
			t.Errorf("%s: %d SMS: %s", op, w.reached[channel.SMS], w.story("n_7", q))
		}
	}
}

// TestToSeveral: each of them gets a message of their own.
func TestToSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is("acme", "user_7", annIs)
	if end := w.run(w.message("1", to("n_7", `"to":["user_7","user_8"],"topic":"invoice.paid"`))); end != "sent" || len(w.parts) != 2 {
		t.Fatalf("%s, %d parts", end, len(w.parts))
	}
	for i, part := range w.parts {
		want := fmt.Sprintf(`"to":"user_%d"`, 7+i)
		if !strings.Contains(part.Body, want) || !strings.Contains(part.Body, `"topic":"invoice.paid"`) {
			t.Errorf("a part is %s", part.Body)
		}
		if _, err := channel.Decode([]byte(part.Body)); err != nil {
			t.Error(err)
		}
	}
}

// TestWhyNobodyIsReachedIsCounted: by its class.
func TestWhyNobodyIsReachedIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.is("acme", "user_7", `{"topics":{"*":{"opted_out":true}}}`)
	w.run(w.message("1", to("n_7", `"to":"user_7"`)))
	if !slices.ContainsFunc(w.events, func(e metric.Event) bool { return e.Reason == string(channel.OptedOut) }) {
		t.Errorf("%+v", w.events)
	}
}
