package replay

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/deadletter"
)

// parkReport puts a report in the dead-letter queue. Nothing is recorded of it.
func (w *world) parkReport(id, body string) {
	w.letters[id] = &parkedLetter{msg: events.SQSMessage{MessageId: id, ReceiptHandle: "r-" + id, Body: body,
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(start.Add(-time.Hour).UnixMilli(), 10)}}}
}

const (
	bounced = `{"provider":"ses","of":{"webhook_id":"n_1","message_id":"m1","attempt":2},"state":"bounced"}`
	stop    = `{"provider":"twilio","word":"stop","recipients":["+4612345678"],"tenant":"acme"}`
)

// reportsWorld has a report that could not be taken in, an answer, and what is neither.
func reportsWorld(t *testing.T) *world {
	w := newWorld(t)
	w.parkReport("r1", bounced)
	w.parkReport("r2", stop)
	w.parkReport("r3", `{"url":"https://a.test"}`)
	return w
}

// TestReports: what no attempt is recorded of is listed from the queue, shown, replayed
// and discarded as all else.
func TestReports(t *testing.T) {
	t.Parallel()
	w := reportsWorld(t)
	const list = "/api/v1/dlq?queue=report-failures"
	page := get[Items](w, "GET", list, "")
	if len(page.Items) != 3 || page.ApproximateTotal != 3 || page.Cursor != "" {
		t.Fatalf("the list is %+v", page)
	}
	said := map[string]Item{}
	for _, i := range page.Items {
		said[i.ItemID] = i
	}
	for id, want := range map[string]Item{
		"r1": {WebhookID: "n_1", Channel: "email", Reason: `the report "bounced" of attempt 2 was not taken in`},
		"r2": {WebhookID: "r2", Channel: "sms", Tenant: "acme", Reason: `the answer "stop" to an SMS was not taken in`},
		"r3": {WebhookID: "r3", Reason: "a report that can't be read: it is neither an event of SES nor a callback's report"},
	} {
		want.ItemID, want.FirstAt, want.LastAt = id, said[id].FirstAt, said[id].LastAt
		if said[id] != want || !want.LastAt.Equal(start.Add(-time.Hour)) {
			t.Errorf("%s is %+v", id, said[id])
		}
	}
	if out := w.ask("GET", list+"&source=index", ""); out.Code != http.StatusBadRequest {
		t.Errorf("from the index: %d", out.Code)
	}
	shown := get[Letter](w, "GET", "/api/v1/dlq/report-failures/r1", "")
	if shown.Body != bounced || len(shown.Attempts) != 0 || shown.Item.WebhookID != "n_1" {
		t.Errorf("r1 shows %+v", shown)
	}
	if out := w.ask("DELETE", "/api/v1/dlq/report-failures/r3", ""); out.Code != http.StatusNoContent {
		t.Errorf("discarded: %d %s", out.Code, out.Body)
	}
	for _, filter := range []string{`{"tenant":"acme"}`, `{"reason":"bounced","channel":"email"}`} {
		task := get[Started](w, "POST", "/api/v1/dlq/report-failures/replay", filter).Task
		if task.Moved != 1 || task.Status != deadletter.Completed {
			t.Errorf("%s: %+v", filter, task)
		}
	}
	if len(w.letters) != 0 || len(w.sent) != 2 || w.sent[0].body != stop || w.sent[1].body != bounced {
		t.Errorf("left %v, sent %+v", w.letters, w.sent)
	}
	if resource := w.entries[0].Resource; !strings.HasPrefix(resource, "queue=report-failures") {
		t.Errorf("the ledger has %s", resource)
	}
}

// TestNoReportWaits: the waiting room is never theirs.
func TestNoReportWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if out := w.ask("GET", "/api/v1/waiting?queue=reports", ""); out.Code != http.StatusNotFound {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}
