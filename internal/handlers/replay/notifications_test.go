package replay

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
)

// TestNotifications: the dead letters of the other queue are looked at, chosen
// and replayed by what a notification says.
func TestNotifications(t *testing.T) {
	t.Parallel()
	const queue = "/api/v1/dlq/notification-failures"
	w := newWorld(t)
	for i, c := range []struct{ id, channel, body string }{
		{"n_1", "sms", `{"id":"n_1","channel":"sms","recipient":"+46701234567","body":"b","tenant":"acme"}`},
		{"m2", "email", `{"channel":"email","recipient":"ann@acme.test","body":"b","tenant":"acme"}`},
		{"n_3", "sms", `{"id":"n_3","channel":"sms","recipient":"","body":"b"}`}, // malformed
	} {
		id := "m" + string(rune('1'+i))
		w.letters[id] = &parkedLetter{msg: events.SQSMessage{MessageId: id, ReceiptHandle: "r-" + id, Body: c.body,
			Attributes: map[string]string{"SentTimestamp": "1"}}}
		r := attempt.Record{Notification: true, WebhookID: c.id, MessageID: id, Attempt: 1, At: start.Add(-1), Tenant: "acme",
			Channel: c.channel, Verdict: attempt.Permanent, Reason: "as told"}
		if i == 0 { // it ended on another channel than it began
			r.Channel, r.FailedChannels = "slack", []string{"sms", "slack"}
		}
		w.record(r)
	}
	index := get[Items](w, "GET", "/api/v1/dlq?queue=notification-failures&channel=sms", "").Items
	browsed := get[Items](w, "GET", "/api/v1/dlq?queue=notification-failures&channel=sms&source=queue", "").Items
	for _, items := range [][]Item{index, browsed} {
		got := map[string]string{}
		for _, i := range items {
			got[i.ItemID+" "+i.WebhookID] = i.Channel
		}
		if diff := cmp.Diff(map[string]string{"m1 n_1": "sms", "m3 n_3": "sms"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if got := get[Letter](w, "GET", queue+"/m2", "").Item; got.WebhookID != "m2" || got.Channel != "email" || got.Tenant != "acme" ||
		got.Reason != "as told" {
		t.Errorf("got %+v", got)
	}
	if task := get[Started](w, "POST", queue+"/replay/m2", "").Task; task.WebhookID != "m2" || w.sent[0].attributes["efferent-id"] != "m2" {
		t.Errorf("got %+v, sent %+v", task, w.sent)
	}
	if e := w.entries[0]; e.Resource != "queue=notification-failures, channel=email" || e.Action != "dlq.replay" || e.Tenant != "acme" {
		t.Errorf("the ledger has %+v", e)
	}
	if task := get[Started](w, "POST", queue+"/replay", `{"channel":"sms"}`).Task; task.Moved != 2 || len(w.letters) != 0 {
		t.Errorf("got %+v", task)
	}
}
