package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

const failuresQueue = "webhook-failures"

// Kinds of messages that SQS counts.
const (
	visible = "ApproximateNumberOfMessages"
	hidden  = "ApproximateNumberOfMessagesNotVisible"
	delayed = "ApproximateNumberOfMessagesDelayed"
)

// DeadLetters runs the scenarios of dead letters through the API, each by
// itself: they count what is in the queue. With moves they use SQS's move
// tasks too.
func DeadLetters(t *testing.T, s *Stack, moves bool) {
	// What other scenarios moved back may be on its way to this queue again.
	s.AwaitEmpty(t, "webhooks")
	s.discardAll(t)
	t.Run("an outage, then one and the rest", func(t *testing.T) { s.outage(t, moves) })
	t.Run("the same item twice at once", s.twiceAtOnce)
	t.Run("discard", s.discard)
	t.Run("one id for many", s.oneIDForMany)
	if moves {
		t.Run("equal letters", s.equalLetters)
		t.Run("the console's redrive", s.consoleRedrive)
	}
}

// Call makes one request to the API and reads its answer into v, unless that
// is nil.
func (s *Stack) Call(t *testing.T, method, path, body string, v any) (status int) {
	t.Helper()
	status, answer, err := s.API(t.Context(), method, "/api/v1"+path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if v != nil && status < 300 {
		if err := json.Unmarshal(answer, v); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	if status >= 300 {
		t.Logf("%s %s: %d %s", method, path, status, answer)
	}
	return status
}

// parked lists all of the dead-letter queue, page by page.
func (s *Stack) parked(t *testing.T) (all []replay.Item, total int) {
	t.Helper()
	for cursor := ""; ; {
		var page replay.Items
		if status := s.Call(t, "GET", "/dlq?limit=20&queue="+failuresQueue+"&cursor="+url.QueryEscape(cursor), "",
			&page); status != http.StatusOK {
			t.Fatalf("the list was answered %d", status)
		}
		all, total = append(all, page.Items...), page.ApproximateTotal
		if cursor = page.Cursor; cursor == "" {
			return all, total
		}
	}
}

// AwaitEmpty waits until SQS counts no messages at all in a queue.
func (s *Stack) AwaitEmpty(t *testing.T, queue string) {
	t.Helper()
	s.awaitNone(t, queue, visible, hidden, delayed)
}

// awaitNone waits until SQS counts no messages of these kinds in a queue.
func (s *Stack) awaitNone(t *testing.T, queue string, kinds ...string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for tick := time.NewTicker(100 * time.Millisecond); !s.hasNone(t, queue, kinds...); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s is not without %v: %v", queue, kinds, s.Attributes(t, queue))
		}
	}
}

func (s *Stack) hasNone(t *testing.T, queue string, kinds ...string) bool {
	t.Helper()
	counts := s.Attributes(t, queue)
	return !slices.ContainsFunc(kinds, func(kind string) bool { return counts[kind] != "0" })
}

// discardAll empties the dead-letter queue.
func (s *Stack) discardAll(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for ctx.Err() == nil {
		var page replay.Items
		if status := s.Call(t, "GET", "/dlq?limit=200&source=queue&queue="+failuresQueue, "", &page); status != http.StatusOK {
			t.Fatalf("the queue was answered %d", status)
		}
		for _, i := range page.Items {
			if status := s.Insist(t, "DELETE", "/dlq/"+failuresQueue+"/"+i.ItemID); status != http.StatusNoContent && status != http.StatusNotFound {
				t.Fatalf("a discard was answered %d", status)
			}
		}
		if len(page.Items) == 0 && s.hasNone(t, failuresQueue, visible, hidden, delayed) {
			return
		}
	}
	t.Fatalf("%s can't be emptied: %v", failuresQueue, s.Attributes(t, failuresQueue))
}

// Insist makes a request until nobody else holds messages of the queue, which
// the API answers with 409: tests beside this one have looked into it.
func (s *Stack) Insist(t *testing.T, method, path string) (status int) {
	t.Helper()
	s.looking.Lock()
	defer s.looking.Unlock()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for status = http.StatusConflict; status == http.StatusConflict && ctx.Err() == nil; {
		status = s.Call(t, method, path, "", nil)
	}
	return status
}

// awaitParked waits until SQS has moved n messages to the dead-letter queue.
func (s *Stack) awaitParked(t *testing.T, n int) []replay.Item {
	t.Helper()
	return s.awaitList(t, n, func(items, total int) bool { return items == n && total == n })
}

// awaitParkedOrMore waits until it has moved n messages, or more than that.
func (s *Stack) awaitParkedOrMore(t *testing.T, n int) []replay.Item {
	t.Helper()
	return s.awaitList(t, n, func(items, total int) bool { return items >= n && total == items })
}

func (s *Stack) awaitList(t *testing.T, n int, wanted func(items, total int) bool) []replay.Item {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		items, total := s.parked(t)
		if wanted(len(items), total) {
			return items
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d are listed, and SQS has %d, of %d: %+v", len(items), total, n, items)
		}
	}
}

// breakable is an endpoint that refuses everything until it is mended, and the
// messages to it: every other one has no id of its own.
type breakable struct {
	*Endpoint
	mended atomic.Bool
	bodies []string
}

// outageOf has n messages refused for good, and waits until they are parked.
// Where the answer to a send is lost, the SDK sends again, and there are more:
// then it begins anew.
func (s *Stack) outageOf(t *testing.T, n int) (*breakable, []replay.Item) {
	t.Helper()
	for range 5 {
		b, texts := newBreakable(t, n)
		for len(texts) > 0 {
			some := texts[:min(10, len(texts))]
			s.Send(t, some...)
			texts = texts[len(some):]
		}
		if items := s.awaitParkedOrMore(t, n); len(items) == n {
			return b, items
		}
		s.discardAll(t)
	}
	t.Fatalf("of five times %d messages, none were sent once each", n)
	return nil, nil
}

func newBreakable(t *testing.T, n int) (b *breakable, texts []string) {
	t.Helper()
	b = &breakable{}
	b.Endpoint = NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !b.mended.Load() {
			w.WriteHeader(http.StatusNotFound) // for good, so that nothing waits for retries
		}
	})
	for i := range n {
		id := newID(fmt.Sprintf("dead-%d", i))
		text := strings.Replace(Text(id, b.URL), `"event_type"`, `"tenant":"acme","event_type"`, 1)
		if i%2 == 1 {
			text = strings.Replace(text, `"id":"`+id+`",`, "", 1)
		}
		texts, b.bodies = append(texts, text), append(b.bodies, `{"id": "`+id+`"}`)
	}
	return b, texts
}

// delivered waits until the endpoint, mended, has taken every body, under the
// webhook-id that it was refused under where want says so.
func (b *breakable) delivered(t *testing.T, bodies []string, sameID func(body string) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for _, body := range bodies {
		for {
			ids := b.idsOf(body)
			if len(ids) >= 2 {
				if sameID(body) && ids[0] != ids[len(ids)-1] {
					t.Errorf("%s came as %v", body, ids)
				}
				break
			}
			select {
			case <-b.Seen:
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				t.Fatalf("%s came %d times, want a second time", body, len(ids))
			}
		}
	}
}

// idsOf are the webhook-ids that a body came under, in order.
func (b *breakable) idsOf(body string) (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, arrivals := range b.arrived {
		for _, a := range arrivals {
			if a.Body == body {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func always(string) bool { return true }

func (s *Stack) outage(t *testing.T, moves bool) {
	b, items := s.outageOf(t, 50)
	for _, i := range items {
		if i.LastStatus != 404 || i.Attempts != 1 || i.Tenant != "acme" || !strings.Contains(i.Reason, "404") || i.URL != b.URL ||
			i.EventType != "scenario.run" {
			t.Fatalf("an item is %+v", i)
		}
	}
	b.mended.Store(true)

	one := items[len(items)/2]
	var letter replay.Letter
	if s.Call(t, "GET", "/dlq/"+failuresQueue+"/"+one.ItemID, "", &letter); letter.Item != one || len(letter.Attempts) != 1 ||
		!strings.Contains(letter.Body, `"scenario.run"`) {
		t.Errorf("shown was %+v", letter)
	}
	var started replay.Started
	if status := s.Call(t, "POST", "/dlq/"+failuresQueue+"/replay/"+one.ItemID, "", &started); status != http.StatusAccepted ||
		started.Task.WebhookID != one.WebhookID {
		t.Fatalf("%d %+v", status, started)
	}
	left, total := s.parked(t)
	if len(left) != 49 || total != 49 {
		t.Errorf("after the replay of one %d are listed, and SQS has %d", len(left), total)
	}
	if got := Verdicts(s.AttemptsUntil(t, one.WebhookID, delivered)); got != "1:404:permanent 2:200:delivered" {
		t.Errorf("the one that was replayed: %s", got)
	}
	if status := s.Call(t, "POST", "/dlq/"+failuresQueue+"/replay/"+one.ItemID, "", nil); status != http.StatusNotFound {
		t.Errorf("replayed again it was answered %d", status)
	}

	ownID := func(body string) bool { return strings.Contains(strings.Join(b.idsOf(body), " "), "dead-") }
	if moves {
		s.replayAll(t)
	} else {
		s.replayTenant(t, "acme", 49)
		ownID = always
	}
	if left, total := s.parked(t); len(left) != 0 || total != 0 {
		t.Errorf("after the replay of all %d are listed, and SQS has %d", len(left), total)
	}
	b.delivered(t, b.bodies, ownID)
}

// replayAll has SQS's own move task move everything.
func (s *Stack) replayAll(t *testing.T) {
	t.Helper()
	if status := s.Call(t, "POST", "/dlq/"+failuresQueue+"/replay", "{}", nil); status != http.StatusAccepted {
		t.Fatalf("replay of all was answered %d", status)
	}
	s.awaitMove(t)
}

func (s *Stack) awaitMove(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		var all replay.Tasks
		if s.Call(t, "GET", "/dlq/"+failuresQueue+"/tasks", "", &all); len(all.Tasks) > 0 && all.Tasks[0].Status == deadletter.Completed {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the move task has not ended: %+v", all.Tasks)
		}
	}
}

func (s *Stack) replayTenant(t *testing.T, tenant string, want int64) {
	t.Helper()
	moved := int64(0)
	for cursor := ""; ; {
		var started replay.Started
		body := `{"tenant":"` + tenant + `"` + cursor + `}`
		if status := s.Call(t, "POST", "/dlq/"+failuresQueue+"/replay", body, &started); status != http.StatusAccepted {
			t.Fatalf("replay by tenant was answered %d", status)
		}
		moved += started.Task.Moved
		if started.Task.Status != deadletter.Running {
			break
		}
		cursor = `,"cursor":"` + started.Task.Cursor + `"`
	}
	if moved != want {
		t.Errorf("%d were replayed, want %d", moved, want)
	}
}

// twiceAtOnce: of two who replay the same item one acts.
func (s *Stack) twiceAtOnce(t *testing.T) {
	b, items := s.outageOf(t, 3)
	b.mended.Store(true)
	codes := make([]int, 2)
	var both sync.WaitGroup
	for i := range codes {
		both.Go(func() {
			codes[i], _, _ = s.API(t.Context(), "POST", "/api/v1/dlq/"+failuresQueue+"/replay/"+items[1].ItemID, "")
		})
	}
	both.Wait()
	if min, max := min(codes[0], codes[1]), max(codes[0], codes[1]); min != 202 || max != 404 && max != 409 {
		t.Errorf("they were answered %v", codes)
	}
	s.AttemptsUntil(t, items[1].WebhookID, delivered)
	s.replayTenant(t, "acme", 2)
	b.delivered(t, b.bodies, always)
	for _, body := range b.bodies {
		if n := len(b.idsOf(body)); n != 2 {
			t.Errorf("%s came %d times", body, n)
		}
	}
}

func (s *Stack) discard(t *testing.T) {
	b, items := s.outageOf(t, 2)
	b.mended.Store(true)
	if status := s.Call(t, "DELETE", "/dlq/"+failuresQueue+"/"+items[0].ItemID, "", nil); status != http.StatusNoContent {
		t.Errorf("answered %d", status)
	}
	if left, total := s.parked(t); len(left) != 1 || total != 1 || left[0] != items[1] {
		t.Errorf("left are %+v, and SQS has %d", left, total)
	}
	if status := s.Call(t, "DELETE", "/dlq/"+failuresQueue+"/"+items[0].ItemID, "", nil); status != http.StatusNotFound {
		t.Errorf("discarded again it was answered %d", status)
	}
	s.replayTenant(t, "acme", 1)
	s.AttemptsUntil(t, items[1].WebhookID, delivered)
}

// consoleRedrive starts the move task by the SDK, past the API, which notices.
func (s *Stack) consoleRedrive(t *testing.T) {
	b, _ := s.outageOf(t, 6)
	b.mended.Store(true)
	arn := s.Attributes(t, failuresQueue)["QueueArn"]
	if _, err := s.SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	s.awaitMove(t)
	if left, total := s.parked(t); len(left) != 0 || total != 0 {
		t.Errorf("after the redrive %d are listed, and SQS has %d", len(left), total)
	}
	b.delivered(t, b.bodies, func(body string) bool { return strings.Contains(strings.Join(b.idsOf(body), " "), "dead-") })
}
