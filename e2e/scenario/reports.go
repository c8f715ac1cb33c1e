package scenario

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// callbackHost is where Twilio is told to report; Stack.Callback is what answers there.
const callbackHost = "https://callbacks.acme.test"

// reporting is a secret of Twilio's that asks for reports, and the key that signs them.
func reporting(t *testing.T, secret string) (asking, key string) {
	t.Helper()
	var fields map[string]string
	if err := json.Unmarshal([]byte(secret), &fields); err != nil {
		t.Fatal(err)
	}
	fields["callback_url"] = callbackHost
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), fields["auth_token"]
}

// reports: who is not reached by SMS, as Twilio reports, gets an email; who answers STOP
// gets nothing more; and what Twilio has not signed is refused.
func (p *people) reports(t *testing.T) {
	o := p.person("reported")
	p.SendTo(t, notifications, o.text(channel.SMS, `,"fallback":["email"]`))
	p.until(t, func() bool { return len(p.providers.Taken(o.sms)) == 1 })
	target, _, _ := strings.Cut(p.providers.Taken(o.sms)[0].Callback, "#")
	p.State(t, o.id, 1, attempt.Accepted)
	undelivered := url.Values{"MessageStatus": {"undelivered"}, "ErrorCode": {"30003"}}
	if status := p.callBack(t, target, "wrong", undelivered); status != http.StatusForbidden {
		t.Errorf("what nobody signed is answered by %d", status)
	}
	for range 2 { // Twilio may say it twice
		p.signedCallBack(t, target, undelivered)
	}
	p.State(t, o.id, 1, attempt.Undelivered)
	p.until(t, func() bool { return len(p.providers.Taken(o.email)) == 1 })

	p.signedCallBack(t, callbackHost+"/callbacks/twilio/incoming", url.Values{"From": {o.sms}, "Body": {"STOP"}})
	p.AwaitEmpty(t, "reports")
	again := person{o.id + "-again", o.email, o.slack, o.sms}
	p.SendTo(t, notifications, again.text(channel.SMS, `,"fallback":[]`))
	if all := p.Attempts(t, again.id); all[len(all)-1].Class != string(channel.OptedOut) {
		t.Errorf("after STOP: %+v", all)
	}
	p.took(t, o.sms, 1)
	p.took(t, o.email, 1)
}

// State waits until the nth attempt of an id has it.
func (s *Stack) State(t *testing.T, id string, nth int, want attempt.State) {
	t.Helper()
	s.historyUntil(t, id, func(all []attempt.Record) bool { return len(all) >= nth && all[nth-1].State == want })
}

func (p *people) until(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to that")
		}
	}
}

func (p *people) signedCallBack(t *testing.T, target string, form url.Values) {
	t.Helper()
	if status := p.callBack(t, target, TwilioSignature(p.twilioKey, target, form), form); status != http.StatusOK {
		t.Fatalf("a callback was answered by %d", status)
	}
}

func (p *people) callBack(t *testing.T, target, signature string, form url.Values) int {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	status, err := p.Callback(ctx, strings.TrimPrefix(target, callbackHost), signature, form.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// TwilioSignature is that of a callback ("Webhooks security").
func TwilioSignature(key, target string, form url.Values) string {
	h := hmac.New(sha1.New, []byte(key))
	_, _ = io.WriteString(h, target)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = fmt.Fprint(h, name, form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// badReports: what can't be read is listed, shown, replayed and discarded by the API.
func (p *people) badReports(t *testing.T) {
	const failures, said = "report-failures", `{"it is": "no report"}`
	parked := func() (item replay.Item) {
		p.until(t, func() bool {
			var page replay.Items
			if p.Call(t, "GET", "/dlq?queue="+failures, "", &page) != http.StatusOK || len(page.Items) == 0 {
				return false
			}
			item = page.Items[0]
			return true
		})
		return item
	}
	p.SendTo(t, "reports", said)
	first := parked()
	var shown replay.Letter
	if status := p.Call(t, "GET", "/dlq/"+failures+"/"+first.ItemID, "", &shown); status != http.StatusOK || shown.Body != said ||
		!strings.Contains(shown.Item.Reason, "can't be read") {
		t.Errorf("%d: %+v", status, shown)
	}
	if status := p.Insist(t, "POST", "/dlq/"+failures+"/replay/"+first.ItemID); status != http.StatusAccepted {
		t.Fatalf("a replay is answered %d", status)
	}
	again := parked()
	if again.ItemID == first.ItemID {
		t.Errorf("what was replayed is there still: %+v", again)
	}
	if status := p.Insist(t, "DELETE", "/dlq/"+failures+"/"+again.ItemID); status != http.StatusNoContent {
		t.Errorf("a discard is answered %d", status)
	}
	p.AwaitEmpty(t, failures)
}
