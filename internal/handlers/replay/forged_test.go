package replay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
)

// TestUnforged: each attempt is "message<origin tenant channel:recipient", by
// time; an origin that can't be true is not the message's in the end.
func TestUnforged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, attempts, want string }{
		{"its own", "a k -, a k -", "a a"},
		{"replayed", "a k -, b<a k -", "a a"},
		{"another tenant's", "a k -, b<a j -", "a b"},
		{"another tenant's, tried before", "b<a j -, a k -", "b a"},
		{"the first one that names an origin without attempts", "b<a k -, c<a j -, d<a k -", "a c a"},
		{"one that names a forger", "a k -, b<a j -, c<b j -", "a b b"},
		{"a notification", "a k email:ann, a k slack:C1, b<a k slack:C1, c<a k email:ann", "a a a a"},
		{"to somebody else", "a k email:ann, a k slack:C1, b<a k email:bob", "a a b"},
		{"to somebody else, first on the same channel", "a k email:ann, a k slack:C1, b<a k slack:C1, b<a k email:bob", "a a b b"},
		{"on another channel", "a k email:ann, b<a k slack:C1", "a a"},
		{"to nobody known yet", "a k email:ann, b<a k email:", "a a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var records []attempt.Record
			for i, text := range strings.Split(c.attempts, ", ") {
				f := strings.Fields(text)
				id, origin, _ := strings.Cut(f[0], "<")
				channel, recipient, _ := strings.Cut(f[2], ":")
				records = append(records, attempt.Record{MessageID: id, Origin: origin, Tenant: f[1], Channel: channel, Recipient: recipient,
					At: start.Add(time.Duration(i) * time.Second)})
			}
			var got []string
			for _, r := range unforged(records) {
				got = append(got, r.OriginID())
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("the origins are %v, want %s", got, c.want)
			}
		})
	}
}

// TestForgedAttributes: whoever names another's dead letter as his origin, under
// its id, takes nothing from it: it is listed, with its own attempts, and so is
// his when it dies.
func TestForgedAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1, "evt", "acme")
	w.advance(time.Minute)
	origin, id, attempts := "m00001", "evt", "9998"
	w.letters["m00002"] = &parkedLetter{msg: events.SQSMessage{MessageId: "m00002", Body: `{"url":"https://b.test/","tenant":"evil"}`,
		Attributes: map[string]string{"SentTimestamp": "1"}, MessageAttributes: map[string]events.SQSMessageAttribute{
			"efferent-origin": {StringValue: &origin}, "efferent-id": {StringValue: &id}, "efferent-attempts": {StringValue: &attempts}}}}
	w.record(attempt.Record{WebhookID: "evt", Origin: origin, MessageID: "m00002", Attempt: 9999, At: w.now, URL: "https://b.test/",
		Tenant: "evil", Status: 404, Verdict: attempt.Permanent, Reason: "his"})
	w.othersOwn = -1 // SQS has not counted all of them: there is room for one that is in doubt
	got, page := listed(w, "")
	if got != "m00002 m00001" || page.Items[0].Attempts != 1 || !page.Items[0].FirstAt.Equal(w.now) || page.Items[1].Attempts != 1 {
		t.Fatalf("listed are %s, %+v", got, page.Items)
	}
	w.othersOwn = 0
	for item, reason := range map[string]string{"m00001": "503 Service Unavailable", "m00002": "his"} {
		if shown := get[Letter](w, "GET", path("/"+item), ""); len(shown.Attempts) != 1 || shown.Item.Reason != reason {
			t.Errorf("%s is shown as %+v", item, shown)
		}
	}
	if w.ask("POST", path("/replay/m00002"), "").Code != http.StatusAccepted || w.sent[0].attributes["efferent-origin"] != "m00002" {
		t.Errorf("replayed it carries %v", w.sent[0].attributes)
	}
}
