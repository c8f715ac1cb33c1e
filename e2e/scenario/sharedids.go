package scenario

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// toMany are messages with one id: an event for endpoints of two tenants, to one
// of which its producer has sent it twice.
func toMany(id, url string) (texts []string) {
	for _, to := range []string{"acme/a", "acme/b", "acme/b", "beta/a", "beta/c"} {
		tenant, path, _ := strings.Cut(to, "/")
		texts = append(texts, Text(id, url+"/"+path, `"tenant":"`+tenant+`"`))
	}
	return texts
}

// oneIDForMany: letters that share a webhook-id are each looked at, discarded and
// replayed by themselves.
func (s *Stack) oneIDForMany(t *testing.T) {
	var mended atomic.Bool
	e := NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	id := newID("shared")
	s.Send(t, toMany(id, e.URL)...)
	items := s.awaitParked(t, 5)
	for _, i := range items {
		var letter replay.Letter
		s.Call(t, "GET", "/dlq/"+failuresQueue+"/"+i.ItemID, "", &letter)
		if i.WebhookID != id || i.Attempts != 1 || letter.Item != i || len(letter.Attempts) != 1 || letter.Attempts[0].MessageID != i.ItemID ||
			!strings.Contains(letter.Body, `"`+i.URL+`"`) {
			t.Errorf("an item is %+v, and shown as %+v", i, letter)
		}
	}
	twin := only(items, "acme", e.URL+"/b")
	if len(twin) != 2 {
		t.Fatalf("listed are %+v", items)
	}
	if status := s.Insist(t, "DELETE", "/dlq/"+failuresQueue+"/"+twin[0].ItemID); status != http.StatusNoContent {
		t.Errorf("discarded: %d", status)
	}
	if left := only(s.awaitParked(t, 4), "acme", e.URL+"/b"); len(left) != 1 || left[0] != twin[1] {
		t.Errorf("after one of two was discarded there are %+v", left)
	}

	// Refused again, what was replayed is listed with its former attempt, and the
	// others as they were.
	s.replayTenant(t, "acme", 2)
	for _, i := range s.awaitParked(t, 4) {
		if want := map[string]int{"acme": 2, "beta": 1}[i.Tenant]; i.Attempts != want {
			t.Errorf("after the replay of acme's there is %+v, want %d attempts", i, want)
		}
	}
	mended.Store(true)
	s.replayTenant(t, "beta", 2)
	s.awaitParked(t, 2)
	s.replayTenant(t, "acme", 2)
	s.awaitParked(t, 0)
	records := s.historyUntil(t, id, func(all []attempt.Record) bool { return len(all) == 5+2+4 })
	byOrigin := map[string]string{}
	for _, r := range records {
		byOrigin[r.OriginID()] += fmt.Sprint(" ", r.Status)
	}
	for _, i := range items {
		want := map[string]string{"acme": " 404 404 200", "beta": " 404 200"}[i.Tenant]
		if i == twin[0] {
			want = " 404"
		}
		if byOrigin[i.ItemID] != want {
			t.Errorf("%s of %s was answered%s, want%s", i.URL, i.Tenant, byOrigin[i.ItemID], want)
		}
	}
	if n := len(e.Arrivals(id)); n != 11 {
		t.Errorf("%d requests came, want 11", n)
	}
}

func only(items []replay.Item, tenant, url string) (of []replay.Item) {
	for _, i := range items {
		if i.Tenant == tenant && i.URL == url {
			of = append(of, i)
		}
	}
	return of
}

// equalLetters: five messages that are equal in everything are redriven by SQS's
// own task, and come back as messages of their own.
func (s *Stack) equalLetters(t *testing.T) {
	for _, c := range []struct {
		name     string
		replays  int // by Efferent, before the task
		refusals int // after it
	}{{"all delivered", 0, 0}, {"two refused again", 0, 2}, {"replayed before", 1, 0}, {"replayed before, and two refused again", 1, 2}} {
		t.Run(c.name, func(t *testing.T) {
			id := newID("equal")
			e := NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
				if nth <= 5*(1+c.replays)+c.refusals {
					w.WriteHeader(http.StatusNotFound)
				}
			})
			var texts []string
			for range 5 {
				texts = append(texts, Text(id, e.URL, `"tenant":"acme"`))
			}
			s.Send(t, texts...)
			s.awaitParked(t, 5)
			for range c.replays {
				s.replayTenant(t, "acme", 5)
			}
			before := s.awaitParked(t, 5)
			arn := s.Attributes(t, failuresQueue)["QueueArn"]
			if _, err := s.SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
				t.Fatal(err)
			}
			s.awaitMove(t)
			s.historyUntil(t, id, func(all []attempt.Record) bool { return len(all) == 10+5*c.replays })
			after := s.awaitParked(t, c.refusals)
			for _, i := range after {
				if i.LastAt.Before(before[0].LastAt) { // the newest is first
					t.Errorf("listed is one from before the redrive: %+v", i)
				}
			}
			s.discardAll(t)
		})
	}
}
