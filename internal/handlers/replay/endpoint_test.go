package replay

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
)

// finder knows acme's endpoint ep_1.
type finder struct{ err error }

func (f finder) Where(_ context.Context, id string) (tenant, url string, err error) {
	if id != "ep_1" {
		return "", "", endpoint.ErrNotFound
	}
	return "acme", "https://new.test/in", f.err
}

// parkFor parks a message to a registered endpoint that failed at some URL of it.
func (w *world) parkFor(id, to, url string, ago time.Duration) {
	at := w.now.Add(-ago)
	w.letters[id] = &parkedLetter{msg: events.SQSMessage{
		MessageId: id, ReceiptHandle: "r-" + id, Body: `{"endpoint":"` + to + `","id":"evt_` + id + `","event_type":"e","body":{}}`,
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(at.UnixMilli(), 10), "MessageGroupId": "acme"},
	}}
	w.record(attempt.Record{WebhookID: "evt_" + id, Origin: id, MessageID: id, Attempt: 1, At: at, URL: url, EventType: "e", Tenant: "acme",
		Endpoint: to, Status: 404, Verdict: attempt.Permanent, Reason: "404 Not Found"})
}

// TestReplayOfAnEndpoint: what failed at it since then is replayed, at whatever URL, and
// nothing else.
func TestReplayOfAnEndpoint(t *testing.T) {
	t.Parallel()
	const path = "/api/v1/tenants/acme/endpoints/ep_1/replay"
	since := `{"since":"` + start.Add(-2*time.Hour).Format(time.RFC3339) + `"}`
	for name, c := range map[string]struct {
		path, body string
		status     int
		finder     *finder
		left       string
	}{
		"its own":          {path, since, 202, &finder{}, "before m00000 other"},
		"another tenant's": {"/api/v1/tenants/globex/endpoints/ep_1/replay", since, 404, &finder{}, ""},
		"none":             {"/api/v1/tenants/acme/endpoints/ep_2/replay", since, 404, &finder{}, ""},
		"no id":            {"/api/v1/tenants/acme/endpoints/x/replay", since, 404, &finder{}, ""},
		"no time":          {path, `{}`, 400, &finder{}, ""},
		"can't be read":    {path, since, 503, &finder{errors.New("down")}, ""},
		"no endpoints":     {path, since, 501, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.park(0, "", "acme")
			w.parkFor("a", "ep_1", "https://old.test/in", time.Hour)
			w.parkFor("b", "ep_1", "https://new.test/in", time.Minute)
			w.parkFor("before", "ep_1", "https://new.test/in", 3*time.Hour)
			w.parkFor("other", "ep_3", "https://new.test/in", time.Minute)
			w.finder = c.finder
			if c.left == "" {
				c.left = "a b before m00000 other"
			}
			out := w.ask("POST", c.path, c.body)
			if got := w.visible(); out.Code != c.status || got != c.left {
				t.Errorf("%d, left are %s: %s", out.Code, got, out.Body)
			}
			if out.Code == http.StatusAccepted && len(w.sent) != 2 {
				t.Errorf("sent %d", len(w.sent))
			}
		})
	}
}
