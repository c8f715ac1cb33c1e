package notify

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/storetest"
)

// TestFakesKeepTheirPromises: a claim that was settled can't be taken.
func TestFakesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	storetest.TestClaims(t, readable{w, w.store})
}

// readable are claims that can be read.
type readable struct {
	claim.Store
	kept stores
}

func (r readable) ClaimsOn(ctx context.Context, queue string, itemIDs []string) ([]claim.Claim, error) {
	return r.kept.ClaimsOn(ctx, queue, itemIDs)
}

// sms is a message to a number, from a tenant if it has one.
func sms(id, tenant, to string) string {
	if tenant != "" {
		tenant = `,"tenant":"` + tenant + `"`
	}
	return fmt.Sprintf(`{"id":%q,"channel":"sms","recipient":%q,"body":"b","fallback":[],"retry":"seed"%s}`, id, to, tenant)
}

// TestOneIDForSeveralPeople: an id for somebody else, or of another tenant, is
// another SMS. Nobody is recorded as reached who was sent none.
func TestOneIDForSeveralPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.handler()
	texts := []string{
		sms("n_1", "", "+46701234567"), sms("n_1", "", "+46701234568"), sms("n_1", "acme", "+46701234567"), sms("n_1", "beta", "+46701234567"),
		sms("n_1", "acme", "+46701234568"), sms("n_2", "acme", "+46701234567"),
	}
	var batch []events.SQSMessage
	for i, text := range texts {
		m := w.message(fmt.Sprint(i), text).msg
		m.Attributes["ApproximateReceiveCount"] = "1"
		batch = append(batch, m)
	}
	out, err := h.Handle(t.Context(), events.SQSEvent{Records: batch})
	if err != nil || len(out.BatchItemFailures) > 0 || w.count("sms") != len(texts) {
		t.Fatalf("%d SMS of %d, %+v, %v", w.count("sms"), len(texts), out, err)
	}
	for _, r := range append(w.recorded("n_1"), w.recorded("n_2")...) {
		if r.ProviderID == "" || r.Reason != "" || r.Origin != r.MessageID {
			t.Errorf("recorded is %+v", r)
		}
	}
	// The same once more, of each: none is sent.
	for i, text := range texts {
		if end := w.run(w.message(fmt.Sprint("again", i), text)); end != "sent" || w.count("sms") != len(texts) {
			t.Errorf("again, %s: %s, %d SMS", text, end, w.count("sms"))
		}
	}
}

// TestUnknownForOneIsNotForAnother: an SMS that may have arrived at one number
// parks nothing for another.
func TestUnknownForOneIsNotForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["sms"] = []channel.Outcome{{Class: channel.Unknown, Reason: "503"}, {}}
	if end := w.run(w.message("a", sms("n_1", "", "+46701234567"))); end != "parked" {
		t.Errorf("the first was %s", end)
	}
	w.advance(-time.Hour) // its twin is no replay
	if end := w.run(w.message("b", sms("n_1", "", "+46701234568"))); end != "sent" || w.count("sms") != 2 {
		t.Errorf("the other was %s after %d SMS", end, w.count("sms"))
	}
	if end := w.run(w.message("c", sms("n_1", "", "+46701234567"))); end != "parked" || w.count("sms") != 2 {
		t.Errorf("the first once more was %s after %d SMS", end, w.count("sms"))
	}
}

// TestNamesOfSMS: no two are the same, and none tells whom it goes to.
func TestNamesOfSMS(t *testing.T) {
	t.Parallel()
	seen := map[string][3]string{}
	parts := []string{"", "a", "b", "ab", "1:a", "a1:b", ":", "+46701234567", "46701234567"}
	for _, tenant := range parts {
		for _, id := range parts {
			for _, to := range parts {
				name := hashOf(tenant, id, to)
				if other, taken := seen[name]; taken {
					t.Errorf("%q is the name of %q and of %q", name, other, [3]string{tenant, id, to})
				}
				if seen[name] = [3]string{tenant, id, to}; len(name) != 64 || strings.Contains(name, "46701234567") {
					t.Errorf("the name of %q is %s", seen[name], name)
				}
			}
		}
	}
}

// TestOrigins: a replayed notification carries the origin that it had.
func TestOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, origin := w.message("a", sms("n_1", "", "+46701234567")), "m-first"
	q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-origin": {DataType: "String", StringValue: &origin}}
	w.run(q)
	if records := w.recorded("n_1"); len(records) != 1 || records[0].Origin != origin {
		t.Errorf("recorded are %+v", records)
	}
}
