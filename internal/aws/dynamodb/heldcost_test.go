package awsdynamodb

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// takes every message.
type takes struct{}

func (takes) Send(_ context.Context, _ string, messages []waiting.Outgoing) (sent []int, _ error) {
	for n := range messages {
		sent = append(sent, n)
	}
	return sent, nil
}

// TestWhatWaitingForACircuitCosts lets messages in and, as a ramp does, some
// at a time, out again: however many have gone before, each costs two write units in all,
// and little to find.
func TestWhatWaitingForACircuitCosts(t *testing.T) {
	t.Parallel()
	const all, atATime = 1200, 300
	w, f := newRoom()
	exit := &waiting.Exit{Places: w, Sender: takes{}, Now: func() time.Time { return due }, Holder: "a"}
	key := "endpoint-00000000000000000000000000000000"
	for n := range all {
		i := waiting.Item{Queue: "webhooks", MessageID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Attempt: 1, Circuit: key,
			Due: due.Add(time.Duration(n) * time.Second), State: waiting.Waiting, Body: noise(600), WebhookID: fmt.Sprint("evt_", n),
			Carried: message.Carried{Attempts: 1}}
		if _, err := w.Enter(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	came := f.writes / all
	for gone := 0; gone < all; gone += atATime {
		f.reads, f.writes = 0, 0
		some, err := exit.SendHeld(t.Context(), key, func(n int, _ *waiting.Item) waiting.Turn { return waiting.Turn{Go: n < atATime} })
		if err != nil || some.Count != atATime {
			t.Fatalf("%d went, %v", some.Count, err)
		}
		t.Logf("after %d: %.2f write units to come, %.2f to go, %.2f read units each", gone, came, f.writes/atATime, f.reads/atATime)
		if reads, writes := f.reads/atATime, f.writes/atATime; reads > 0.6 || writes > came+0.3 {
			t.Errorf("after %d each costs %.2f read and %.2f write units to go", gone, reads, writes)
		}
	}
}

// TestWhatLeavingAMinuteCosts lets out all that is due in one minute, of twice as
// many: each costs the same to find.
func TestWhatLeavingAMinuteCosts(t *testing.T) {
	t.Parallel()
	for _, all := range []int{200, 400} {
		w, f := newRoom()
		exit := &waiting.Exit{Places: w, Sender: takes{}, Now: func() time.Time { return due }, Holder: "a"}
		var place waiting.Place
		for n := range all {
			i := waiting.Item{Queue: "webhooks", MessageID: "m", Attempt: n, Due: due.Add(time.Duration(n) * time.Millisecond),
				State: waiting.Waiting, Body: noise(600)}
			if _, err := w.Enter(t.Context(), i); err != nil {
				t.Fatal(err)
			}
			place = i.Place()
		}
		f.reads = 0
		gone, err := exit.SendDue(t.Context(), place, 90*time.Second)
		if err != nil || gone.Count != all {
			t.Fatalf("%d of %d went, %v", gone.Count, all, err)
		}
		if each := f.reads / float64(all); each > 0.35 {
			t.Errorf("of %d each costs %.2f read units to go", all, each)
		}
	}
}

// TestWhatTheFirstBehindManyCosts: no more is read beyond those that are looked for
// than what was settled before them.
func TestWhatTheFirstBehindManyCosts(t *testing.T) {
	t.Parallel()
	const went, limit = 16, 16
	w, f := newRoom()
	var all []waiting.Item
	for n := range 300 {
		all = append(all, waiting.Item{Queue: "webhooks", MessageID: "m", Attempt: n, Due: due.Add(time.Duration(n) * time.Millisecond),
			State: waiting.Waiting, Body: noise(600)})
		if _, err := w.Enter(t.Context(), all[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Settle(t.Context(), all[:went], waiting.Sent); err != nil {
		t.Fatal(err)
	}
	f.reads = 0
	items, err := w.In(t.Context(), all[0].Place(), "", limit)
	if err != nil || len(items) != limit || items[0].Attempt != went {
		t.Fatal(items, err)
	}
	if most := float64(2*went+limit) / 4; f.reads > most { // an item is less than 1 KB, and a unit 4
		t.Errorf("%v read units, want %v at most", f.reads, most)
	}
}
