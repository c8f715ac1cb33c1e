package life

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

// ending is what is left when all is at rest.
type ending struct {
	// posts were made, taken of them were answered 2xx; letters are in the
	// dead-letter queue.
	posts, taken, letters int
}

func (e ending) String() string {
	return fmt.Sprintf("%d posts, %d taken, %d dead letters", e.posts, e.taken, e.letters)
}

// end looks at what is left, and checks what is true of it however it came
// about: the listing is what is in the queue, and each letter has a record that
// says why.
func (w *world) end() (e ending) {
	for _, at := range w.internet.endpoints {
		e.posts += len(at.posts)
		e.taken += at.taken
	}
	w.clock.Advance(time.Hour) // so that what somebody held shows again
	var inQueue []string
	for _, m := range w.letters() {
		if w.settled(*m.MessageId) {
			continue // it was replayed or discarded, and the next search deletes it
		}
		inQueue = append(inQueue, *m.MessageId)
		if m.Attributes["DeadLetterQueueSourceArn"] == "" {
			w.complain("the dead letter %s did not come by the redrive policy", *m.MessageId)
		}
		w.explained(*m.MessageId)
	}
	slices.Sort(inQueue)
	if listed := w.listed(); !slices.Equal(listed, inQueue) {
		w.complain("the API lists %q, in the queue are %q", listed, inQueue)
	}
	e.letters = len(inQueue)
	return e
}

// settled reports whether a dead letter was replayed or discarded.
func (w *world) settled(itemID string) bool {
	return slices.ContainsFunc(w.stores.Claims(), func(c claim.Claim) bool { return c.ItemID == itemID && c.Settled })
}

// explained checks that a dead letter's last record says why it is one.
func (w *world) explained(messageID string) {
	var last *attempt.Record
	for _, r := range w.stores.all() {
		if r.MessageID == messageID {
			last = &r
		}
	}
	switch {
	case last == nil:
		w.complain("nothing is recorded of the dead letter %s", messageID)
	case deadletter.QueueOf(*last) != deadletter.WebhookFailures:
		w.complain("the dead letter %s is recorded as %s", messageID, last.Verdict)
	case strings.Contains(last.Reason, "receive"):
		w.complain("the dead letter %s died of its receives: %s", messageID, last.Reason)
	}
}

// all are all records, message by message.
func (s *stores) all() (all []attempt.Record) {
	for _, id := range slices.Sorted(maps.Keys(s.ids)) {
		of, _ := s.Memory.OfWebhook(context.Background(), id)
		all = append(all, of...)
	}
	return all
}

// shown is how many of the last calls are shown.
const shown = 200

// report fails the test where there were problems, and shows how it came to them.
func (w *world) report(t *testing.T) {
	t.Helper()
	for _, p := range w.problems {
		t.Error(p)
	}
	if t.Failed() {
		for _, l := range w.calls.log[max(0, len(w.calls.log)-shown):] {
			t.Log(l)
		}
		for _, r := range w.stores.all() {
			t.Logf("%s#%d at %s: %s, next at %s: %s", r.MessageID[:8], r.Attempt, r.At.Format("02 15:04:05"), named(r),
				r.NextAt.Format("02 15:04:05"), r.Reason)
		}
	}
}
