package report

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
)

// TestSignatures are Twilio's own known answers ("Webhooks security", and its helper
// libraries' tests).
func TestSignatures(t *testing.T) {
	t.Parallel()
	form := url.Values{"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"},
		"From": {"+14158675309"}}
	for _, c := range []struct {
		token, target, signature string
		ok                       bool
	}{
		{"12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"12345", "https://mycompany.com:1234/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "kvajT1Ptam85bY51eRf/AJRuM3w=", true}, // with the port
		{"12345", "http://mycompany.com/myapp.php?foo=1&bar=2", "0ZXoZLH/DfblKGATFgpif+LLRf4=", true},
		{"12345", "https://mycompany.com:1234/myapp.php?foo=1&bar=2", twilioSignature("12345", "https://mycompany.com:443/myapp.php?foo=1&bar=2",
			form), false}, // a port that is not the scheme's is a part of the URL
		{"12345", "https://mycompany.com/myapp.php?foo=1&bar=3", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"12346", "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"12345", "https://mycompany.com/myapp.php?foo=1&bar=2", "", false},
		{"", "https://mycompany.com/", twilioSignature("", "https://mycompany.com/", form), false},
	} {
		if got := SignedByTwilio(c.token, c.target, form, c.signature); got != c.ok {
			t.Errorf("%s, %s: %v", c.target, c.signature, got)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	k := Key{"evt_1-a", "4f3c1b7e-0000-4000-8000-000000000001", 12}
	token := k.Token("secret")
	if got, ok := ReadToken(token, "secret"); !ok || got != k || strings.ContainsAny(token, "/?#%") {
		t.Errorf("%s: %+v, %v", token, got, ok)
	}
	for _, wrong := range []string{"", ".", token[1:], token + "x", k.String(), k.Token("other"), Key{"a.b", "m", 1}.Token("secret"),
		Key{"a", "m", 0}.Token("secret")} {
		if got, ok := ReadToken(wrong, "secret"); ok {
			t.Errorf("%s: %+v", wrong, got)
		}
	}
}

const mailOfOurs = `"mail":{"timestamp":"2026-11-24T08:00:00.000Z","destination":["ann@acme.test"],"tags":{"efferent-id":["n_1"],` +
	`"efferent-message":["m"],"efferent-attempt":["2"],"ses:source-ip":["192.0.2.1"]},"headers":[{"name":"To","value":"x"}]}`

func TestDecode(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 1, 0, 0, time.UTC)
	ours := func(r Report) Report {
		r.Provider, r.Of, r.All, r.Recipients = SES, Key{"n_1", "m", 2}, 1, []string{"ann@acme.test"}
		if r.At.IsZero() {
			r.At = at
		}
		return r
	}
	sent := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	ofAttempt := func(n int) string {
		return fmt.Sprintf(`{"provider":"twilio","of":{"webhook_id":"n_1","message_id":"m","attempt":%d},"state":"delivered"}`, n)
	}
	ofMany := func(n int) string {
		return strings.Replace(ofAttempt(1), "{", `{"recipients":[`+strings.TrimSuffix(strings.Repeat(`"+1555",`, n), ",")+`],`, 1)
	}
	many := Report{Provider: Twilio, Of: Key{"n_1", "m", 1}, State: attempt.Arrived, Recipients: slices.Repeat([]string{"+1555"}, 50)}
	bounce := func(kind, sub string) string {
		return `{"eventType":"Bounce","bounce":{"bounceType":"` + kind + `","bounceSubType":"` + sub + `","bouncedRecipients":[{"emailAddress":` +

			`"ann@acme.test","status":"5.1.1","diagnosticCode":"smtp; 550 no ann@acme.test"}],` +
			`"timestamp":"2026-11-24T08:01:00Z"},` + mailOfOurs + `}`
	}
	hard := ours(Report{State: attempt.Bounced, Hard: true, Reason: "SES: bounce, Permanent/General, status 5.1.1",
		Response: "smtp; 550 no ann@acme.test"})
	soft := ours(Report{State: attempt.Bounced, Reason: "SES: bounce, Transient/MailboxFull, status 5.1.1", Response: hard.Response})
	delivery := `{"eventType":"Delivery","delivery":{"recipients":["ann@acme.test"],"timestamp":"2026-11-24T08:01:00Z"},` + mailOfOurs + `}`
	complaint := func(kind string) string {

		return `{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"ann@acme.test"}],` +
			`"complaintFeedbackType":"` + kind +
			`","timestamp":"2026-11-24T08:01:00Z"},` + mailOfOurs + `}`
	}
	arrived := Report{Provider: Twilio, Of: Key{"n_1", "m", 1}, State: attempt.Arrived, At: at}
	own, err := arrived.Encode()
	if err != nil {
		t.Fatal(err)
	}
	envelope := `{"Type":"Notification","TopicArn":"arn:aws:sns:eu-north-1:1:t","Message":"` + strings.ReplaceAll(delivery, `"`, `\"`) + `"}`
	for name, c := range map[string]struct {
		body string
		want Report
		err  string
	}{
		"a hard bounce":     {bounce("Permanent", "General"), hard, ""},
		"a soft bounce":     {bounce("Transient", "MailboxFull"), soft, ""},
		"a delivery":        {delivery, ours(Report{State: attempt.Arrived}), ""},
		"in SNS's envelope": {envelope, ours(Report{State: attempt.Arrived}), ""},
		"a complaint": {complaint("abuse"), ours(Report{State: attempt.Complained, OptedOut: true, Reason: "SES: complaint, abuse"}),
			""},
		"no spam":              {complaint("not-spam"), Report{}, ErrNothing.Error()},
		"a callback's":         {own, arrived, ""},
		"a delay":              {`{"eventType":"DeliveryDelay",` + mailOfOurs + `}`, Report{}, ErrNothing.Error()},
		"something new":        {`{"eventType":"Teleported",` + mailOfOurs + `}`, Report{}, ErrNothing.Error()},
		"somebody else's mail": {`{"eventType":"Delivery","mail":{"tags":{"a":["b"]}}}`, Report{}, ErrNothing.Error()},
		"SES's test of SNS":    {"Successfully validated SNS topic for Amazon SES event publishing.", Report{}, ErrNothing.Error()},
		"no JSON":              {"x", Report{}, "no JSON"},
		"another object":       {`{"url":"https://a.test"}`, Report{}, "neither"},
		"SNS's own": {`{"Type":"SubscriptionConfirmation","Message":"You have chosen","SubscribeURL":"https://a.test"}`, Report{},
			ErrNothing.Error()},
		"envelopes in it": {`{"Type":"Notification","Message":"{\"Type\":\"Notification\",\"Message\":\"{}\"}"}`, Report{}, "neither"},
		"no such attempt": {strings.Replace(delivery, `["2"]`, `["0"]`, 1), Report{}, "which attempt"},
		"no such state": {`{"provider":"twilio","of":{"webhook_id":"a","message_id":"b","attempt":1},"state":"accepted"}`, Report{},
			"no state"},
		"nobody's answer": {`{"provider":"twilio","word":"stop"}`, Report{}, "answer"},
		"of no tenant":    {`{"provider":"twilio","word":"stop","recipients":["+1555"],"tenant":"a\n"}`, Report{}, "answer"},
		"who unsubscribed at SES": {bounce("Permanent", "UnsubscribedRecipient"), ours(Report{State: attempt.Bounced, Hard: true,
			OptedOut: true, Reason: "SES: bounce, Permanent/UnsubscribedRecipient, status 5.1.1", Response: hard.Response}), ""},
		"a virus": {`{"eventType":"Reject","reject":{"reason":"Bad content\n{ann@acme.test}_[-]/"},` + mailOfOurs + `}`,
			ours(Report{State: attempt.Undelivered, At: sent, Reason: "SES: rejected, Bad-contentannacme.test_-"}), ""},
		"a template of SES": {`{"eventType":"Rendering Failure",` + mailOfOurs + `}`,
			ours(Report{State: attempt.Undelivered, At: sent, Reason: "SES: the template could not be rendered"}), ""},
		"an identity's own":          {strings.Replace(delivery, "eventType", "notificationType", 1), ours(Report{State: attempt.Arrived}), ""},
		"fields of another kind":     {`{"eventType":"Delivery","mail":"none"}`, Report{}, "another kind"},
		"a callback's of other kind": {`{"provider":"twilio","of":"none"}`, Report{}, "no report"},
		"the end of a subscription":  {`{"Type":"UnsubscribeConfirmation","Message":"You have chosen"}`, Report{}, ErrNothing.Error()},
		"as many as SES takes":       {ofMany(50), many, ""},
		"more than SES takes":        {ofMany(51), Report{}, "can be about 50"},
		"as long as SQS takes":       {own + strings.Repeat(" ", 1<<20-len(own)), arrived, ""},
		"longer than SQS takes":      {own + strings.Repeat(" ", 1<<20-len(own)+1), Report{}, "1 MiB"},
		"the highest attempt":        {ofAttempt(9999), Report{Provider: Twilio, Of: Key{"n_1", "m", 9999}, State: attempt.Arrived}, ""},
		"a higher attempt":           {ofAttempt(10000), Report{}, "which attempt"},
	} {
		got, err := Decode([]byte(c.body))
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", name, err)
		} else if diff := gocmp.Diff(c.want, got); err == nil && diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form url.Values
		want Report
		err  error
	}{
		{url.Values{"MessageStatus": {"queued"}}, Report{}, ErrNothing},
		{url.Values{"MessageStatus": {"delivered"}}, Report{State: attempt.Arrived}, nil},
		{url.Values{"MessageStatus": {"failed"}, "ErrorCode": {"21610"}, "To": {"+1555"}},
			Report{State: attempt.Undelivered, OptedOut: true, Recipients: []string{"+1555"},
				Reason: "Twilio: failed, error 21610 (twilio.com/docs/api/errors/21610)"}, nil},
	} {
		got, err := OfStatus(Key{"a", "b", 1}, c.form)
		if c.err == nil {
			c.want.Provider, c.want.Of = Twilio, Key{"a", "b", 1}
		}
		if diff := gocmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
			t.Errorf("%v: %v (-want +got):\n%s", c.form, err, diff)
		}
	}
	for said, want := range map[string]string{"Stop": Stop, " UNSUBSCRIBE\n": Stop, "stop please": "", "start": Start, "": ""} {
		got, err := OfIncoming("", url.Values{"From": {"+1555"}, "Body": {said}})
		if got.Word != want || (err == nil) != (want != "") {
			t.Errorf("%q: %+v, %v", said, got, err)
		}
	}
}

// TestStrangeNumbers: whom no SMS can go to answers nothing.
func TestStrangeNumbers(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{"+46701234567": Stop, "71720": "", "whatsapp:+46701234567": "", "": "",
		"+" + strings.Repeat("1", 199): Stop, "+" + strings.Repeat("1", 200): ""} {
		got, err := OfIncoming("acme", url.Values{"From": {from}, "Body": {"STOP"}})
		if got.Word != want || (want == "") != errors.Is(err, ErrNothing) {
			t.Errorf("%.20q: %+v, %v", from, got, err)
		}
	}
	if _, err := OfIncoming("a\n", url.Values{"From": {"+46701234567"}, "Body": {"STOP"}}); err == nil || errors.Is(err, ErrNothing) {
		t.Errorf("to no tenant's number: %v", err)
	}
}

// TestKept: what is kept happened at no time to come, and counts on from what was kept
// before.
func TestKept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 8, 1, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at     time.Time
		before *attempt.Report
		want   attempt.Report
	}{
		"as it was told":    {now.Add(-time.Hour), nil, attempt.Report{At: now.Add(-time.Hour), Version: 1}},
		"without a time":    {time.Time{}, &attempt.Report{Version: 3}, attempt.Report{At: now, Version: 4}},
		"of a time to come": {now.Add(time.Second), nil, attempt.Report{At: now, Version: 1}},
	} {
		c.want.By, c.want.Due, c.want.Response = "m", true, strings.Repeat("x", attempt.ResponseLimit)
		got := Report{At: c.at, Response: strings.Repeat("x", attempt.ResponseLimit) + "yz"}.Kept("m", now, c.before)
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"eventType":"Delivery",` + mailOfOurs + `}`))
	f.Add([]byte(`{"Type":"Notification","Message":"{}"}`))
	f.Add([]byte(`{"provider":"twilio","word":"stop"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			return
		}
		text, err := r.Encode()
		if err != nil {
			t.Fatalf("%s was read and can't be written: %v", body, err)
		}
		if again, err := Decode([]byte(text)); err != nil || again.Of != r.Of || again.State != r.State {
			t.Errorf("%s: %+v, %v", text, again, err)
		}
	})
}

func FuzzForms(f *testing.F) {
	f.Add("MessageStatus=failed&ErrorCode=21610&To=%2B1555")
	f.Add("From=%2B1555&Body=+stop%0A&OptOutType=START")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		status, err := OfStatus(Key{"a", "b", 1}, form)
		answer, errA := OfIncoming("acme", form)
		for r, err := range map[*Report]error{&status: err, &answer: errA} {
			if err != nil {
				continue
			}
			if body, err := r.Encode(); err != nil {
				t.Errorf("%q: %+v can't be put on the queue: %v", text, r, err)
			} else if _, err := Decode([]byte(body)); err != nil {
				t.Errorf("%q: %s can't be read: %v", text, body, err)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(Key{"a", "b", 1}.Token("s"))
	f.Fuzz(func(t *testing.T, token string) {
		if k, ok := ReadToken(token, "s"); ok && k.Token("s") != token {
			t.Errorf("%s is %s", token, k)
		}
	})
}
