package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
)

// mail is an email with more members.
func mail(id, more string) string {
	return fmt.Sprintf(`{"id":%q,"channel":"email","recipient":"ann@acme.test","fallback":[]%s}`, id, more)
}

// TestBodyOfHTML: where there is HTML alone, its text is the body, on every channel.
func TestBodyOfHTML(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	q := w.message("a",
		`{"id":"n_1","channel":"email","recipient":"ann@acme.test","recipients":{"slack":"C1"},"html":"<p>It is <b>paid</b>."}`)
	if end := w.run(q); end != "sent" || w.calls["email"][0].Body != "It is paid." || w.calls["email"][0].HTML == "" ||
		w.calls["slack"][0].Body != "It is paid." {
		t.Errorf("%s: %+v", end, w.calls)
	}
}

// TestAttachments that are elsewhere come with the hand-over; the message waits where
// they can't be read now, and another channel is used where they never can.
func TestAttachments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more       string
		end, story string
		content    []string
	}{
		"there":           {`{"s3":"acme/a.pdf"},{"name":"b","content":"Yg=="}`, "sent", "1:email::delivered", []string{"in S3", "b"}},
		"not there":       {`{"name":"b","content":"Yg=="},{"s3":"acme/no"}`, "parked", "1:email:permanent:permanent", nil},
		"larger together": {`{"s3":"acme/large"},{"s3":"acme/large2"}`, "parked", "1:email:permanent:permanent", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files = files{"acme/a.pdf": "in S3", "acme/large": strings.Repeat("a", 6<<20), "acme/large2": strings.Repeat("a", 6<<20)}
			q := w.message("a", mail("n_1", `,"body":"b","attachments":[`+c.more+`]`))
			if end, story := w.run(q), w.story("n_1", q); end != c.end || story != c.story {
				t.Errorf("%s: %s", end, story)
			}
			var content []string
			for _, h := range w.calls["email"] {
				for _, a := range h.Attachments {
					content = append(content, string(a.Content))
				}
			}
			if diff := cmp.Diff(c.content, content); diff != "" {
				t.Error(diff)
			}
			if r := w.recorded("n_1"); c.end == "parked" && !strings.Contains(r[len(r)-1].Reason, "attachments: [1] s3: ") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestAttachmentsInTrouble: what can't be read now uses up no attempt.
func TestAttachmentsInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = files{"acme/a.pdf": "trouble"}
	q := w.message("a", mail("n_1", `,"body":"b","attachments":[{"s3":"acme/a.pdf"}]`))
	if w.receive(w.handler(), q) || w.count("email") != 0 || w.recorded("n_1")[0].Verdict != attempt.Held {
		t.Errorf("%+v", w.recorded("n_1"))
	}
	w.files["acme/a.pdf"] = "in S3"
	if end := w.run(q); end != "sent" || w.count("email") != 1 {
		t.Errorf("%s: %s", end, w.story("n_1", q))
	}
}

// earlier is the record of a notification that was sent.
func earlier(change func(*attempt.Record)) attempt.Record {
	r := attempt.Record{WebhookID: "n_1", MessageID: "m-1", Origin: "m-1", Attempt: 1, At: time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC),
		Verdict: attempt.Delivered, Notification: true, Channel: "slack", Recipient: "C123", ProviderID: "C123/1.1", Tenant: "acme"}
	change(&r)
	return r
}

// TestEarlier: an earlier notification is found by its id, of the same tenant, on the
// same channel, to the same recipient; and nobody else's.
func TestEarlier(t *testing.T) {
	t.Parallel()
	as := func(*attempt.Record) {}
	for name, c := range map[string]struct {
		records []attempt.Record
		to      string
		found   string // what is handed over of it
		class   channel.Class
		says    string
	}{
		"there":           {[]attempt.Record{earlier(as)}, "C123", "C123/1.1", "", ""},
		"by another name": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Recipient = "#alerts" })}, "C123", "C123/1.1", "", ""},
		"the last of several": {[]attempt.Record{earlier(func(r *attempt.Record) {
			r.MessageID, r.ProviderID, r.At = "m-0", "C123/1.0",
				r.At.Add(-1)
		}), earlier(as)}, "C123", "C123/1.1", "", ""},
		"after a failure": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Verdict, r.ProviderID = attempt.Retryable, "" }),
			earlier(func(r *attempt.Record) { r.Attempt = 2 })}, "C123", "C123/1.1", "", ""},
		"none": {nil, "C123", "", channel.Transient, "thread: there is no notification of that id and tenant yet"},
		"another tenant's": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Tenant = "other" })}, "C123", "", channel.Transient,
			"no notification of that id and tenant"},
		"a webhook's": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Notification = false })}, "C123", "",
			channel.Transient, "no notification of that id"},
		"to somebody else": {[]attempt.Record{earlier(as)}, "C999", "", channel.Permanent, "went to another recipient"},
		"on another channel": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Channel = "email" })}, "C123", "", channel.Permanent,
			"was not sent on slack"},
		"by an incoming webhook": {[]attempt.Record{earlier(func(r *attempt.Record) { r.ProviderID = "" })}, "C123", "", channel.Permanent,
			"takes a bot_token"},
		"that failed": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Verdict = attempt.Permanent })}, "C123", "",
			channel.Permanent, "was not sent on slack"},
		"that is still being sent": {[]attempt.Record{earlier(func(r *attempt.Record) { r.Verdict = attempt.Retryable })}, "C123", "",
			channel.Transient, "has not been sent yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.store.Put(t.Context(), c.records); err != nil {
				t.Fatal(err)
			}
			q := w.message("a",
				fmt.Sprintf(`{"id":"n_2","tenant":"acme","channel":"slack","recipient":%q,"body":"b","thread":"n_1","fallback":[]}`, c.to))
			end := w.run(q)
			if c.found != "" {
				if end != "sent" || w.calls["slack"][0].Thread != c.found {
					t.Errorf("%s: %+v", end, w.calls)
				}
				return
			}
			last := w.recorded("n_2")
			if r := last[len(last)-1]; end != "parked" || w.count("slack") != 0 || r.Class != string(c.class) || !strings.Contains(r.Reason,
				c.says) {
				t.Errorf("%s: %+v", end, r)
			}
			if tries := len(last); (tries > 1) != (c.class == channel.Transient) {
				t.Errorf("%d tries", tries)
			}
		})
	}
}

// TestEarlierComesLater: an alert and its end may be sent at the same moment.
func TestEarlierComesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alert := w.message("1", `{"id":"n_1","channel":"slack","recipient":"C123","body":"b","fallback":[]}`)
	end := w.message("2", `{"id":"n_2","channel":"slack","recipient":"C123","body":"b","update":"n_1","fallback":[]}`)
	if w.receive(w.handler(), end) {
		t.Error("the end is done with before the alert")
	}
	if w.run(alert) != "sent" || w.run(end) != "sent" || w.calls["slack"][1].Replaces != "slack1" {
		t.Errorf("%+v", w.calls)
	}
}

// TestEarlierElsewhere: on another channel than its own the message does without, and
// a webhook is told the ids.
func TestEarlierElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["slack"] = []channel.Outcome{{Class: channel.Permanent, Reason: "is_archived"}}
	if err := w.store.Put(t.Context(), []attempt.Record{earlier(func(r *attempt.Record) { r.Tenant = "" })}); err != nil {
		t.Fatal(err)
	}
	q := w.message("a", `{"id":"n_2","channel":"slack","recipient":"C123","body":"b","thread":"n_1","recipients":{"email":"ann@acme.test"}}`)
	if end := w.run(q); end != "sent" || w.calls["email"][0].Thread != "" {
		t.Errorf("%s: %+v", end, w.calls)
	}
	q = w.message("b", `{"id":"n_3","channel":"webhook","recipient":"ops","body":"b","thread":"n_9"}`)
	if end := w.run(q); end != "sent" || w.calls["webhook"][0].Thread != "n_9" {
		t.Errorf("%s: %+v", end, w.calls)
	}
}

// TestEarlierCanNotBeRead: that is our own trouble.
func TestEarlierCanNotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Put(t.Context(), []attempt.Record{earlier(func(r *attempt.Record) { r.Tenant = "" })}); err != nil {
		t.Fatal(err)
	}
	w.fault["history"] = on(1, fails)
	q := w.message("a", `{"id":"n_2","channel":"slack","recipient":"C123","body":"b","thread":"n_1","fallback":[]}`)
	if end := w.run(q); end != "sent" || w.count("slack") != 1 || w.calls["slack"][0].Thread != "C123/1.1" {
		t.Errorf("%s: %s", end, w.story("n_2", q))
	}
}

// TestLast: a sender is told when no other try follows on its channel.
func TestLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{Class: channel.Transient, Reason: "450"}}
	q := w.message("a", `{"id":"n_1","channel":"email","recipient":"ann@acme.test","body":"b","recipients":{"slack":"C1"}}`)
	w.run(q)
	var last []bool
	for _, h := range w.calls["email"] {
		last = append(last, h.Last)
	}
	if diff := cmp.Diff([]bool{false, false, false, true}, last); diff != "" {
		t.Error(diff)
	}
}

// TestSeveralRecipients: of one email all are in the record and, by their hashes, in
// the ledger, those of cc and bcc too.
func TestSeveralRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.message("a",
		`{"id":"n_1","channel":"email","recipient":["ann@acme.test","bob@acme.test"],"body":"b",`+
			`"cc":["Caro <caro@acme.test>"],"bcc":["eve@acme.test"]}`)
	if end := w.run(q); end != "sent" || w.recorded("n_1")[0].Recipient != "ann@acme.test, bob@acme.test" {
		t.Fatalf("%s: %+v", end, w.recorded("n_1"))
	}
	h := w.calls["email"][0]
	if diff := cmp.Diff([]string{"ann@acme.test", "bob@acme.test", "Caro <caro@acme.test>", "eve@acme.test"},
		append(append([]string{h.Recipient}, h.More...), append(h.CC, h.BCC...)...)); diff != "" {
		t.Error(diff)
	}
	everyone := []string{"ann@acme.test", "bob@acme.test", "caro@acme.test", "eve@acme.test"}
	want := w.Redactor(t.Context(), w.now).OnChannel("email", everyone, "")
	for _, e := range w.entries {
		if e.Resource != want || strings.Contains(e.Resource, "@") || strings.Count(e.Resource, "hmac:") != 4 {
			t.Errorf("%s: %s", e.Action, e.Resource)
		}
	}
}

// TestOneEach: a message to each of several goes on the queue, with all that the one
// had, and nothing is sent of the one itself.
func TestOneEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.message("a", `{"channel":"sms","recipient":["+46701234567","+46701234568"],"each":true,"body":"b","tenant":"acme"}`)
	q.msg.Attributes["MessageGroupId"] = "acme"
	text := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"traceparent": {DataType: "String", StringValue: &text}}
	if end := w.run(q); end != "sent" || w.count("sms") != 0 || len(w.entries) != 0 || len(w.parts) != 2 {
		t.Fatalf("%s: %d SMS, %d entries, %+v", end, w.count("sms"), len(w.entries), w.parts)
	}
	for i, to := range []string{"+46701234567", "+46701234568"} {
		want := `{"body":"b","channel":"sms","id":"m-a","recipient":"` + to + `","tenant":"acme"}`
		if p := w.parts[i]; p.Body != want || p.Group != "acme" || p.Attributes["traceparent"].Text != text {
			t.Errorf("%+v", p)
		}
		if end := w.run(w.message(fmt.Sprint(i), w.parts[i].Body)); end != "sent" {
			t.Error(end)
		}
	}
	if w.reached["sms"] != 2 || len(w.recorded("m-a")) != 2 {
		t.Errorf("%d SMS, %+v", w.reached["sms"], w.recorded("m-a"))
	}
}

// TestOneEachFaults: whatever breaks, everybody gets it, and no SMS comes twice.
func TestOneEachFaults(t *testing.T) {
	t.Parallel()
	for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
		crashAfter: "crash after"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fault["divide"] = on(1, f)
			q := w.message("a", `{"id":"n_1","channel":"sms","recipient":["+46701234567","+46701234568"],"each":true,"body":"b","fallback":[]}`)
			if end := w.run(q); end != "sent" {
				t.Fatal(end)
			}
			for i, p := range w.parts {
				if end := w.run(w.message(fmt.Sprint(i), p.Body)); end != "sent" {
					t.Error(end)
				}
			}
			if w.reached["sms"] != 2 {
				t.Errorf("%d SMS", w.reached["sms"])
			}
		})
	}
}

// TestPartsCarry: a replayed message's parts follow the replay's policy.
func TestPartsCarry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.message("a", `{"id":"n_1","channel":"email","recipient":["ann@acme.test","bob@acme.test"],"each":true,"body":"b"}`)
	q.carries(message.Carried{Retry: "replay", ID: "n_1", Released: w.now})
	w.run(q)
	if len(w.parts) != 2 || w.parts[0].Attributes[message.CarriedRetry].Text != "replay" || len(w.parts[0].Attributes) != 1 {
		t.Errorf("%+v", w.parts)
	}
}
