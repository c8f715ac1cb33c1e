package deliver

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/webhook"
)

// TestOrigins: every attempt of a message has its origin, that which follows a
// refused secret too. A replayed message carries the one it had.
func TestOrigins(t *testing.T) {
	t.Parallel()
	for carried, want := range map[string]string{"": "m-a", "m-first": "m-first", "no id": "m-a"} {
		w := newWorld(t, denied401, ok200)
		w.cached = "v0"
		m := aMessage("a", body("a"), 1)
		if carried != "" {
			m.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-origin": {DataType: "String", StringValue: &carried}}
		}
		w.handle(m)
		records := w.recorded("a")
		if len(records) != 2 || records[0].Origin != want || records[1].Origin != want {
			t.Errorf("carrying %q: recorded are %+v, want the origin %s", carried, records, want)
		}
	}
}

// TestOneMessageTwiceInABatch: SQS may deliver it so. It is recorded once, and
// everything beside it too.
func TestOneMessageTwiceInABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, webhook.Exchange{Status: 200})
	if failed := w.handle(aMessage("a", body("a"), 1), aMessage("b", body("b"), 1), aMessage("a", body("a"), 1)); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	if len(w.recorded("a")) != 1 || len(w.recorded("b")) != 1 {
		t.Errorf("recorded are %v and %v", w.recorded("a"), w.recorded("b"))
	}
}
