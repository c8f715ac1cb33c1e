package deliver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/webhook"
)

// TestTurns: how many more may be sent to an endpoint after what has happened.
func TestTurns(t *testing.T) {
	t.Parallel()
	other := circuit.Name{Scope: circuit.Endpoint, URL: "https://b.test"}
	for name, c := range map[string]struct {
		places   int
		happened string // + taken of it, o of the other, - failed, a answered, s a second passes
		more     int
		hopeless bool
	}{
		"nothing yet":                             {0, "", 10, false},
		"as many as it gets at first":             {0, "++++++++++", 0, false},
		"which are unanswered":                    {0, "++++++++++s", 0, true},
		"of which one has failed":                 {0, "++++++++++s-", 1, false},
		"of which one was answered":               {0, "++++++++++a", 2, false},
		"an answer a second ago":                  {0, "++++++++++as", 1, false},
		"many answers":                            {0, "+a+a+a+a++++++++++", 0, false},
		"many answers, while some are under way":  {0, "++a+a+a+a", 13, false},
		"others do not count":                     {0, "oooooooooo", 10, false},
		"few places":                              {12, "", 4, false},
		"few places, of which others have taken":  {12, "oooo", 3, false},
		"one is always tried":                     {1, "o", 1, false},
		"few places, none of which are answered":  {12, "++++s", 0, true},
		"few places, some of which were answered": {12, "++++a", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				turns := newTurns(c.places)
				for n, what := range c.happened {
					switch of := map[bool]circuit.Name{true: other, false: here}[what == 'o']; what {
					case '+', 'o':
						if !turns.try(of) {
							t.Fatalf("there was no turn for %d of %s", n, c.happened)
						}
					case '-', 'a':
						turns.give(of, what == 'a')
					case 's':
						time.Sleep(silence)
					}
				}
				if got := turns.hopeless(here); got != c.hopeless {
					t.Errorf("hopeless: %t", got)
				}
				more := 0
				for turns.try(here) {
					more++
				}
				if more != c.more {
					t.Errorf("%d more, want %d", more, c.more)
				}
			})
		})
	}
}

// try takes a turn that can be had now.
func (t *turns) try(of circuit.Name) bool {
	turn := t.join(of)
	return turn == nil || !t.leave(of, turn)
}

// TestTurnsAreWaitedFor: in line, and for a second at most.
func TestTurnsAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(0)
		for range atFirst {
			turns.try(here)
		}
		got := make([]string, 6)
		for n := range 6 {
			go func() {
				ctx, stop := context.WithTimeout(t.Context(), map[bool]time.Duration{true: 300 * time.Millisecond, false: time.Hour}[n == 1])
				defer stop()
				start := time.Now()
				ok, _ := turns.take(ctx, here)
				got[n] = fmt.Sprint(ok, time.Since(start))
			}()
			synctest.Wait()
		}
		pass(400 * time.Millisecond)
		for range 2 {
			turns.give(here, false)
			synctest.Wait()
		}
		turns.give(here, true)
		if synctest.Wait(); turns.try(here) {
			t.Error("who comes last was served first")
		}
		pass(time.Second)
		want := []string{"true 400ms", "false 300ms", "true 400ms", "true 400ms", "true 400ms", "false 1s"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("turns (-want +got):\n%s", diff)
		}
		for range atFirst + 1 {
			turns.give(here, false)
		}
		if len(turns.lines) > 0 || turns.taken > 0 {
			t.Errorf("in the end there are %v", turns)
		}
	})
}

// TestPlacesThatOthersGiveBack are had by who came first, once anybody comes by.
func TestPlacesThatOthersGiveBack(t *testing.T) {
	t.Parallel()
	turns := newTurns(4)
	other := circuit.Name{Scope: circuit.Endpoint, URL: "https://b.test"}
	for _, of := range []circuit.Name{other, other, here} {
		if !turns.try(of) {
			t.Fatal("there was no place")
		}
	}
	first := turns.join(here)
	if first == nil {
		t.Fatal("there was a place")
	}
	turns.give(other, true)
	turns.give(other, true)
	if turns.try(here) {
		t.Error("who came last had its turn")
	}
	if turns.leave(here, first) {
		t.Error("who came first had none")
	}
}

// TestATurnThatComesTooLate: who has left when it comes has none; who was given it
// just then has.
func TestATurnThatComesTooLate(t *testing.T) {
	t.Parallel()
	turns := newTurns(0)
	for range atFirst {
		turns.try(here)
	}
	first, second := turns.join(here), turns.join(here)
	if !turns.leave(here, first) {
		t.Error("it was not in line")
	}
	turns.give(here, false)
	if turns.leave(here, second) {
		t.Error("it was in line with its turn")
	}
	for range atFirst {
		turns.give(here, false)
	}
	if len(turns.lines) > 0 {
		t.Errorf("%d lines are left", len(turns.lines))
	}
}

// hideTime is how long a change of visibility waits for others.
const hideTime = 20 * time.Millisecond

// pass lets time pass, and what is to happen by then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// hangs answers what is sent to /hang by its timeout only.
type hangs struct {
	*world
	sent []time.Duration // since the start, to those that hang
	from time.Time
}

func (h *hangs) Post(ctx context.Context, r webhook.Request) webhook.Exchange {
	if !strings.Contains(r.URL, "/hang") {
		return h.world.Post(ctx, r)
	}
	h.mu.Lock()
	h.sent = append(h.sent, time.Since(h.from))
	h.mu.Unlock()
	time.Sleep(webhook.DefaultTimeout)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(time.Millisecond)
	return webhook.Exchange{Err: context.DeadlineExceeded, Duration: webhook.DefaultTimeout}
}

// hanging is a handler of a world where an endpoint hangs.
func hanging(t *testing.T) (*hangs, *Handler) {
	h := &hangs{world: newWorld(t, ok200), from: time.Now()}
	handler := h.handler()
	handler.Sender = h
	handler.Go = func(f func()) { go f() } // the process keeps none of the test's
	return h, handler
}

var unanswering = circuit.Name{Scope: circuit.Endpoint, Tenant: "acme", URL: "https://a.test/hang"}

// fill takes all turns of an endpoint, which then answers nothing for a while.
func (h *Handler) fill(of circuit.Name) {
	for range atFirst {
		h.turns.try(of)
	}
	time.Sleep(silence)
}

// counts are how many were sent to who is well, and to who hangs, and put back.
func (h *hangs) counts() []int {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return []int{len(h.posts), len(h.sent), len(h.hidden)}
}

// actions are those of the entries, in order.
func (w *world) actions() string {
	var all []string
	for _, e := range w.entries {
		all = append(all, e.Action)
	}
	return strings.Join(all, " ")
}

// TestAnEndpointHangs: of a batch only so many are sent to it, the others go back
// to the queue as they came; who else is in the batch is sent at once, and
// recorded soon.
func TestAnEndpointHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, handler := hanging(t)
		var messages []events.SQSMessage
		for n := range 14 {
			id := fmt.Sprint("h", n)
			messages = append(messages, aMessage(id, to(id, "/hang", "acme"), 1))
		}
		messages = append(messages, aMessage("well", to("well", "/in", "acme"), 1))
		var failed []string
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			failed = w.handleWith(handler, messages...)
		}()
		time.Sleep(600 * time.Millisecond)
		if diff := cmp.Diff([]int{1, atFirst, 0}, w.counts()); diff != "" || len(w.recorded("well")) != 1 {
			t.Errorf("after 600 ms (-want +got):\n%s", diff)
		}
		time.Sleep(time.Second)
		if diff := cmp.Diff([]int{1, atFirst, 4}, w.counts()); diff != "" {
			t.Errorf("after 1.6 s (-want +got):\n%s", diff)
		}
		<-ended
		if took := time.Since(w.from); took > webhook.DefaultTimeout+time.Second {
			t.Errorf("it took %v", took)
		}
		sent, back := 0, 0
		for n := range 14 {
			switch records := w.recorded(fmt.Sprint("h", n)); {
			case len(records) == 1 && records[0].Verdict == attempt.Retryable:
				sent++
			case len(records) == 0 && w.hidden[fmt.Sprint("r-h", n)] == asideTime:
				back++
			}
		}
		if text := w.actions(); strings.Count(text, "attempt") != 15 || strings.Count(text, "failed") != 14 {
			t.Errorf("not each that was announced has an outcome: %s", text)
		}
		if len(failed) != 14 || sent != atFirst || back != 4 {
			t.Errorf("%d are left in the queue, %d of them were sent and %d put back", len(failed), sent, back)
		}
		if diff := cmp.Diff([]string{"endpoint open"}, w.changes); diff != "" {
			t.Errorf("changes of circuits (-want +got):\n%s", diff)
		}
	})
}

// TestWhatComesWhileItHangs: it goes back at once, and is not even announced; but
// where it has no receive to spare, it is held.
func TestWhatComesWhileItHangs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		receives int
		want     want
		waits    bool
	}{
		"at once":                    {1, want{failed: true, hidden: asideTime, posts: 0}, false},
		"in its fourth receive":      {4, want{failed: true, hidden: asideTime, posts: 0}, false},
		"in its fifth":               {5, want{verdicts: []attempt.Verdict{attempt.Held}, hidden: -1, reason: "unanswered"}, true},
		"in its last, with no place": {6, want{verdicts: []attempt.Verdict{attempt.Held}, hidden: -1, reason: "unanswered"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, handler := hanging(t)
				handler.fill(unanswering)
				start := time.Now()
				failed := w.handleWith(handler, aMessage("a", to("a", "/hang", "acme"), c.receives))
				w.check(t, c.want, len(failed) == 1)
				if took := time.Since(start); took > hideTime {
					t.Errorf("it took %v", took)
				}
				if items, _, err := w.store.Page(t.Context(), "", 9); err != nil || (len(items) == 1) != c.waits {
					t.Errorf("%d are in the room, %v", len(items), err)
				}
			})
		})
	}
}

// TestCircuitsAreAskedAgain by what had to wait for its turn: they may have opened
// meanwhile, or want it for a probe.
func TestCircuitsAreAskedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		until time.Duration
		sent  int
		want  attempt.Verdict
	}{"open": {time.Minute, 0, attempt.Held}, "to be probed": {0, 1, attempt.Retryable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, handler := hanging(t)
				handler.fill(unanswering)
				handler.turns.give(unanswering, true)
				handler.turns.try(unanswering)
				handler.turns.try(unanswering)
				ended := make(chan struct{})
				go func() { defer close(ended); w.handleWith(handler, aMessage("a", to("a", "/hang", "acme"), 1)) }()
				synctest.Wait()
				w.mu.Lock()
				w.now = w.now.Add(2 * time.Second) // what it knows of the circuit is not fresh any more
				w.open(unanswering, func(s *circuit.State) { s.Until = w.now.Add(c.until) })
				w.mu.Unlock()
				handler.turns.give(unanswering, true)
				<-ended
				records := w.recorded("a")
				if len(w.sent) != c.sent || len(records) != 1 || records[0].Verdict != c.want || handler.turns.taken != atFirst {
					t.Errorf("%d were sent, recorded is %+v, %d turns are taken", len(w.sent), records, handler.turns.taken)
				}
			})
		})
	}
}

// TestAHealthyEndpointCostsNoCircuit: no write, and one read a second and handler.
func TestAHealthyEndpointCostsNoCircuit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, webhook.Exchange{Status: 200, Duration: time.Millisecond})
	h := w.handler()
	const seconds = 5
	for n := range 20 * seconds {
		id := fmt.Sprint("e", n)
		if w.handleWith(h, aMessage(id, body(id), 1)); n%20 == 19 {
			w.mu.Lock()
			w.now = w.now.Add(time.Second)
			w.mu.Unlock()
		}
	}
	if text := strings.Join(w.log, "\n"); strings.Contains(text, "circuit ") || w.circuitReads > seconds {
		t.Errorf("%d reads in %d s for %d posts, and of writes %t", w.circuitReads, seconds, len(w.posts), strings.Contains(text, "circuit "))
	}
}

// TestProbesAreNotKeptBack by what is under way.
func TestProbesAreNotKeptBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, handler := hanging(t)
		handler.fill(unanswering)
		w.open(unanswering, func(s *circuit.State) { s.Until = s.Opened })
		w.handleWith(handler, aMessage("a", to("a", "/hang", "acme"), 2))
		if len(w.sent) != 1 || handler.turns.taken != atFirst {
			t.Errorf("%d were sent, %d turns are taken", len(w.sent), handler.turns.taken)
		}
	})
}
