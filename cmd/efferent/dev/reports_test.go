package dev

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/standin"
)

const (
	callbackHost = "https://callbacks.acme.test"
	authToken    = "0123456789abcdef"
)

// startReporting runs Efferent beside providers that are asked to report.
func startReporting(t *testing.T) (*commandtest.Running, *standin.Providers) {
	t.Helper()
	providers := commandtest.StartProviders(t, commandtest.TakesAll)
	return startWith(t, ":memory:", map[string]string{
		"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_AUTH_TOKEN": authToken, "TWILIO_FROM_NUMBER": "+15005550006", "TWILIO_BASE_URL": providers.URL,
		"TWILIO_CALLBACK_URL": callbackHost,
		"SMTP_HOST":           "127.0.0.1", "SMTP_PORT": fmt.Sprint(providers.MailPort), "SMTP_CONFIGURATION_SET": "efferent",
	}), providers
}

// signed is a callback's signature.
func signed(target string, form url.Values) string {
	return scenario.TwilioSignature(authToken, target, form)
}

// callAPI makes a callback to a URL as Twilio was told it.
func callAPI(s *commandtest.Running, t *testing.T, target, signature string, form url.Values) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.HTTPURL+strings.TrimPrefix(target, callbackHost),
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", signature)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// sendReports makes a callback that is signed.
func sendReports(s *commandtest.Running, t *testing.T, callback string, pairs ...string) {
	t.Helper()
	form := url.Values{}
	for n := 0; n < len(pairs); n += 2 {
		form.Set(pairs[n], pairs[n+1])
	}
	target, _, _ := strings.Cut(callback, "#")
	if status := callAPI(s, t, target, signed(target, form), form); status != http.StatusOK {
		t.Fatalf("a callback was answered by %d", status)
	}
}

// callbackOf waits for the nth message to somebody, and gives where its provider is to
// report.
func callbackOf(t *testing.T, p *standin.Providers, to string, nth int) string {
	t.Helper()
	eventually(t, "the message", func() bool { return len(p.Taken(to)) >= nth })
	return p.Taken(to)[nth-1].Callback
}

// stateOf waits until the nth attempt of an id has a state.
func stateOf(s *commandtest.Running, t *testing.T, id string, nth int, want attempt.State) attempt.Record {
	t.Helper()
	var all []attempt.Record
	for end := time.Now().Add(commandtest.Soon); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if all, err = s.History(t.Context(), id); err == nil && len(all) >= nth && all[nth-1].State == want {
			return all[nth-1]
		}
		if time.Now().After(end) {
			t.Fatalf("%s is %+v, %v; want %s", id, all, err, want)
		}
	}
}

// reportsAreRead waits until no report is left.
func reportsAreRead(s *commandtest.Running, t *testing.T) {
	t.Helper()
	eventually(t, "the reports are read", func() bool {
		now := s.Attributes(t, "reports")
		return now["ApproximateNumberOfMessages"] == "0" && now["ApproximateNumberOfMessagesNotVisible"] == "0"
	})
}

// TestReports: what Twilio reports of an SMS is kept with its attempt, and what is
// forged, double, late or of a step on the way changes nothing.
func TestReports(t *testing.T) {
	t.Parallel()
	s, providers := startReporting(t)
	s.SendTo(t, "notifications", `{"id":"n_1","channel":"sms","recipient":"+46701234567","body":"code","fallback":[]}`)
	callback := callbackOf(t, providers, "+46701234567", 1)
	stateOf(s, t, "n_1", 1, attempt.Accepted)
	target, _, _ := strings.Cut(callback, "#")
	form := url.Values{"MessageStatus": {"delivered"}, "MessageSid": {"SM1"}}
	other := "x" + strings.TrimPrefix(target, callbackHost+"/callbacks/twilio/")
	for name, status := range map[string]int{
		"no signature":     callAPI(s, t, target, "", form),
		"another form":     callAPI(s, t, target, signed(target, form), url.Values{"MessageStatus": {"failed"}}),
		"another URL":      callAPI(s, t, target+"?a=b", signed(target, form), form),
		"another's token":  callAPI(s, t, callbackHost+"/callbacks/twilio/"+other, signed(callbackHost+"/callbacks/twilio/"+other, form), form),
		"no token of ours": callAPI(s, t, callbackHost+"/callbacks/twilio/a", signed(callbackHost+"/callbacks/twilio/a", form), form),
	} {
		if status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	sendReports(s, t, callback, "MessageStatus", "sent")
	sendReports(s, t, callback, "MessageStatus", "delivered", "MessageSid", "SM1")
	first := stateOf(s, t, "n_1", 1, attempt.Arrived)
	sendReports(s, t, callback, "MessageStatus", "undelivered", "ErrorCode", "30003")
	sendReports(s, t, callback, "MessageStatus", "delivered", "MessageSid", "SM1")
	reportsAreRead(s, t)
	if again := stateOf(s, t, "n_1", 1, attempt.Arrived); again.Report.By != first.Report.By || again.Report.Due || first.ProviderID == "" {
		t.Errorf("at first %+v, then %+v", first.Report, again.Report)
	}
}

// TestComesBack: what does not arrive goes to the next channel within the deadline, by
// exactly what is left of the chain, and not after it.
func TestComesBack(t *testing.T) {
	t.Parallel()
	s, providers := startReporting(t)
	body := func(id, deadline string) string {
		return `{"id":"` + id + `","channel":"sms","recipient":"+4670123456` + id[2:] + `","subject":"Hi","body":"code ` + id +
			`","recipients":{"email":"` + id + `@acme.test"},"fallback":["email"],"deadline":"` + deadline + `","tenant":"acme"}`
	}
	s.SendTo(t, "notifications", body("n_1", "15m"), body("n_2", "1s"))
	late := callbackOf(t, providers, "+46701234562", 1)
	sendReports(s, t, callbackOf(t, providers, "+46701234561", 1), "MessageStatus", "undelivered", "ErrorCode", "30003")
	sms := stateOf(s, t, "n_1", 1, attempt.Undelivered)
	email := stateOf(s, t, "n_1", 2, attempt.Accepted)
	if email.Channel != string(channel.Email) || strings.Join(email.FailedChannels, " ") != "sms" || email.OriginID() != sms.OriginID() ||
		!strings.Contains(sms.Report.Reason, "30003") || email.Tenant != "acme" {
		t.Errorf("the SMS %+v, the email %+v", sms, email)
	}
	mails := providers.Taken("n_1@acme.test")
	if len(mails) != 1 || !strings.Contains(mails[0].Text, "X-SES-CONFIGURATION-SET: efferent") {
		t.Errorf("mails: %+v", mails)
	}
	time.Sleep(time.Until(sms.At.Add(1100 * time.Millisecond))) // the deadline of the other one
	sendReports(s, t, late, "MessageStatus", "failed", "ErrorCode", "30003")
	stateOf(s, t, "n_2", 1, attempt.Undelivered)
	s.SendTo(t, "reports", sesBounce(email))
	stateOf(s, t, "n_1", 2, attempt.Bounced)
	reportsAreRead(s, t)
	if all := providers.Taken("n_2@acme.test"); len(all) > 0 {
		t.Errorf("after its deadline it went on: %+v", all)
	}
	if all, _ := s.History(t.Context(), "n_1"); len(all) != 2 {
		t.Errorf("after the last channel: %+v", all)
	}
}

// TestStopAndStart: who answers STOP enters the list, and leaves it by START; a hard bounce
// puts the address there.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	s, providers := startReporting(t)
	listed := func(holds string) func() bool {
		return func() bool {
			_, body, err := s.API(t.Context(), http.MethodGet, "/api/v1/tenants/acme/suppressions", "")
			return err == nil && strings.Contains(string(body), holds)
		}
	}
	incoming := callbackHost + "/callbacks/twilio/incoming?tenant=acme"
	sendReports(s, t, incoming, "From", "+46701234567", "Body", " stop ")
	eventually(t, "the number on the list", listed("+46701234567"))
	s.SendTo(t, "notifications", `{"id":"n_0","channel":"sms","recipient":"+46701234567","body":"text","tenant":"acme"}`)
	if all := s.Attempts(t, "n_0"); all[len(all)-1].Class != string(channel.OptedOut) || len(providers.Taken("+46701234567")) > 0 {
		t.Errorf("after STOP: %+v", all)
	}
	sendReports(s, t, incoming, "From", "+46701234567", "Body", "hello")
	sendReports(s, t, incoming, "From", "+46701234567", "Body", "Start", "OptOutType", "START")
	eventually(t, "an empty list", listed(`"items":[]`))
	s.SendTo(t, "notifications", `{"id":"n_1","channel":"email","recipient":"ann@acme.test","body":"text","fallback":[],"tenant":"acme"}`)
	eventually(t, "the email", func() bool { return len(providers.Taken("ann@acme.test")) == 1 })
	s.SendTo(t, "reports", sesBounce(stateOf(s, t, "n_1", 1, attempt.Accepted)))
	eventually(t, "the address on the list", listed(`"ann@acme.test"`))
}

// sesBounce is the event of a bounce of an email, in SNS's envelope.
func sesBounce(of attempt.Record) string {
	event := fmt.Sprintf(`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[`+
		`{"emailAddress":%q,"status":"5.1.1"}]},"mail":{"destination":[%q],"tags":{"efferent-id":[%q],"efferent-message":[%q],`+
		`"efferent-attempt":["%d"],"ses:configuration-set":["efferent"]}}}`, of.Recipient, of.Recipient, of.WebhookID, of.MessageID, of.Attempt)
	return fmt.Sprintf(`{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:000000000000:ses","Message":%q}`, event)
}
