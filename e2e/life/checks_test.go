package life

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/webhook"
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
	e.letters = list(w)
	return e
}

// list compares the API's listing with what is in the dead-letter queue, an hour
// later, and returns how many are there.
func list(w *world) int {
	w.clock.Advance(time.Hour) // so that what somebody held shows again
	var there []string
	unknown := 0
	w.dead = map[string]int{}
	for _, m := range w.letters() {
		if w.settled(*m.MessageId) {
			continue // it was replayed or discarded, and the next search deletes it
		}
		w.whole(m)
		if body, err := webhook.Decode([]byte(*m.Body)); err == nil {
			w.dead[body.ID]++
		}
		why := w.unexplained(*m.MessageId)
		if w.many && why != "" {
			unknown++ // its receives were used up by one trouble after the other
			continue
		}
		there = append(there, *m.MessageId)
		if why != "" {
			w.complain("the dead letter %s %s", *m.MessageId, why)
		}
	}
	slices.Sort(there)
	if listed := w.listed(); !w.loose && !slices.Equal(listed, there) {
		w.complain("the API lists %q, in the queue are %q", listed, there)
	}
	return len(there) + unknown
}

// lost are the messages that are neither taken nor dead.
func (w *world) lost() (ids []string) {
	for _, id := range w.sent {
		if !w.internet.taken[id] && w.dead[id] == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// whole checks that a dead letter has come by the redrive policy, with all that its
// producer has sent.
func (w *world) whole(m types.Message) {
	if m.Attributes["DeadLetterQueueSourceArn"] == "" {
		w.complain("the dead letter %s did not come by the redrive policy", *m.MessageId)
	}
	if own, ok := m.MessageAttributes[ownAttribute]; !ok || *own.StringValue != "x" || m.Attributes["MessageGroupId"] == "" {
		w.complain("the dead letter %s has lost its group or its own attributes: %v", *m.MessageId, m.MessageAttributes)
	}
}

// told checks that the ledger knows what came of each attempt that is recorded.
func (w *world) told() {
	outcomes := map[string]bool{}
	for _, e := range w.audit.entries {
		if e.Action == ledger.WebhookDelivered || e.Action == ledger.WebhookFailed {
			outcomes[e.ID] = true
		}
	}
	for _, r := range w.stores.all() {
		if id := fmt.Sprintf("%s#%d", r.MessageID, r.Attempt); r.Verdict != attempt.Held && !r.Dropped && !outcomes[id] {
			w.complain("the ledger is not told what came of attempt %s", named(r))
		}
		if r.Untold {
			w.complain("attempt %s is still marked as untold", named(r))
		}
	}
}

// settled reports whether a dead letter was replayed or discarded.
func (w *world) settled(itemID string) bool {
	return slices.ContainsFunc(w.stores.Claims(), func(c claim.Claim) bool { return c.ItemID == itemID && c.Settled })
}

// unexplained is what is wrong with a dead letter's last record, which is to say
// why it is one.
func (w *world) unexplained(messageID string) string {
	var last *attempt.Record
	for _, r := range w.stores.all() {
		if r.MessageID == messageID && (last == nil || r.Verdict.Rank() >= last.Verdict.Rank()) {
			last = &r
		}
	}
	switch {
	case last == nil:
		return "has no record"
	case deadletter.QueueOf(*last) != deadletter.WebhookFailures:
		return "is recorded as " + string(last.Verdict)
	case strings.Contains(last.Reason, "receive"):
		return "died of its receives: " + last.Reason
	case last.Verdict == attempt.Exhausted && !w.byPolicy(last.Reason):
		return "was tried by no policy of it: " + last.Reason
	}
	return ""
}

var ofAttempts = regexp.MustCompile(`(\d+ of \d+) attempts failed`)

// byPolicy reports whether a message that is exhausted has had as many attempts
// as its policy, or that of a replay, says.
func (w *world) byPolicy(reason string) bool {
	of := ofAttempts.FindStringSubmatch(reason)
	if of == nil {
		return true // it is not for its attempts
	}
	for _, name := range w.named {
		p, err := w.policy(name)
		if err == nil && of[1] == fmt.Sprintf("%d of %d", p.Attempts(), p.Attempts()) {
			return true
		}
	}
	return false
}

// all are all records, message by message.
func (s *stores) all() (all []attempt.Record) {
	for _, id := range slices.Sorted(maps.Keys(s.ids)) {
		of, _ := s.Memory.OfWebhook(context.Background(), id)
		all = append(all, of...)
	}
	return all
}

// tester is a test, rapid's too.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Fatal(args ...any)
	Failed() bool
}

// shown is how many of the last calls are shown.
const shown = 200

// report fails the test where there were problems, and shows how it came to them.
func (w *world) report(t tester) {
	t.Helper()
	for _, p := range w.problems {
		t.Errorf("%s", p)
	}
	if t.Failed() {
		for _, l := range w.calls.log[max(0, len(w.calls.log)-shown):] {
			t.Logf("%s", l)
		}
		for _, r := range w.stores.all() {
			t.Logf("%s: %s#%d at %s: %s, next at %s: %s", r.WebhookID, r.MessageID[:8], r.Attempt, r.At.Format("02 15:04:05"), named(r),
				r.NextAt.Format("02 15:04:05"), r.Reason)
		}
	}
}
