package life

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/settings"
)

// visibility is how long a received message is hidden (the queue's).
const visibility = 180 * time.Second

// A life that is not at rest after that long, or that many calls, never will be.
const (
	maxTime  = 40 * 24 * time.Hour
	maxCalls = 20_000
)

// rest lets everything happen that is due, and then moves the clock to what is
// due next, until nothing is.
func (w *world) rest() {
	for w.clock.Now().Sub(morning) < maxTime && w.calls.made() < maxCalls {
		if w.step() {
			continue
		}
		if w.atRest() {
			return
		}
		w.advance(w.nextRelease)
	}
	w.complain("it does not come to rest; it is %s now", w.clock.Now())
}

// pass lets a time pass, and all happen that is due meanwhile.
func (w *world) pass(d time.Duration) {
	for until := w.clock.Now().Add(d); ; {
		for w.step() {
		}
		if !w.clock.Now().Before(until) {
			return
		}
		w.advance(earlier(until, w.nextRelease))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// soon: release is not run while all that waits is due later than that. Such a
// run is like any other that finds nothing, and there are very many.
const soon = 2 * time.Minute

// step does one thing that is due, and reports whether there was one.
func (w *world) step() bool {
	if now := w.clock.Now(); !now.Before(w.nextRelease) {
		w.nextRelease = now.Truncate(time.Minute).Add(time.Minute)
		if due := w.stores.due(); !due.IsZero() && due.Sub(now) < soon {
			w.release()
			return true
		}
	}
	return w.deliver()
}

// advance moves the clock to when hidden messages show next, or to a time.
func (w *world) advance(next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	w.wakes = slices.DeleteFunc(w.wakes, func(t time.Time) bool { return !t.After(now) })
	for _, t := range w.wakes {
		next = earlier(next, t)
	}
	w.clock.Advance(max(0, next.Sub(now)))
}

// atRest reports whether no message is on its way any more.
func (w *world) atRest() bool {
	return w.stores.due().IsZero() && w.count(settings.WebhooksQueue, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
		"ApproximateNumberOfMessagesDelayed") == 0
}

// release is its run of a minute.
func (w *world) release() {
	ctx, p := start("release")
	w.let(ctx, w.running().release)
	w.buried(p)
}

func (w *world) let(ctx context.Context, h *release.Handler) {
	if err := h.Handle(ctx); err != nil {
		w.calls.note("    release: %v", err)
	}
}

// otherRelease is a run in another process.
func (w *world) otherRelease() {
	h, err := w.newRelease()
	if err != nil {
		w.complain("another release: %v", err)
		return
	}
	ctx, _ := start("other release")
	w.let(ctx, h)
}

// count adds up what a queue says of itself.
func (w *world) count(queue string, names ...types.QueueAttributeName) (n int) {
	url := queueURL + queue
	out, err := w.queues.Engine.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		w.complain("counting %s: %v", queue, err)
		return 0
	}
	for _, name := range names {
		n += number(out.Attributes[string(name)])
	}
	return n
}

// deliver has Lambda poll once, and invoke deliver with what there is. It
// reports whether anything happened.
func (w *world) deliver() bool {
	poll, _ := start("poller")
	url := queueURL + settings.WebhooksQueue
	messages, err := (&awssqs.Letters{API: w.queues, URL: url}).Receive(poll, visibility, 0)
	if err != nil {
		return true // what was received shows again
	}
	if len(messages) == 0 {
		return false
	}
	w.mu.Lock()
	w.inHand = messages
	w.handedOut = append(w.handedOut, messages)
	w.mu.Unlock()
	w.run(poll, messages)
	return true
}

// twin has another invocation get what one has in hand: SQS delivers at least
// once.
func (w *world) twin() {
	w.mu.Lock()
	messages := w.inHand
	w.mu.Unlock()
	poll, _ := start("poller")
	w.run(poll, messages)
}

// copies has SQS hand out everything once more that it ever did, though it was
// deleted since: it delivers at least once.
func copies(w *world) {
	w.mu.Lock()
	all := w.handedOut
	w.mu.Unlock()
	for _, messages := range all {
		late := slices.Clone(messages)
		for i := range late {
			late[i].Attributes = maps.Clone(late[i].Attributes)
			late[i].Attributes["ApproximateReceiveCount"] = strconv.Itoa(w.maxReceives)
		}
		poll, _ := start("poller")
		w.run(poll, late)
	}
}

// run invokes deliver with messages, and deletes those that are done with. Where
// that fails, they come back.
func (w *world) run(poll context.Context, messages []events.SQSMessage) {
	if done := w.invoke(messages); len(done) > 0 && !processOf(poll).isDead() {
		_ = (&awssqs.Queue{API: w.queues, URL: queueURL + settings.WebhooksQueue}).Delete(poll, done)
	}
}

// invoke runs one invocation, and returns what is to be deleted.
func (w *world) invoke(messages []events.SQSMessage) (done []events.SQSMessage) {
	ctx, p := start("deliver")
	response, err := w.running().deliver.Handle(ctx, events.SQSEvent{Records: messages})
	if w.buried(p) {
		return nil
	}
	if err != nil {
		w.complain("deliver returned an error: %v", err)
	}
	for _, m := range messages {
		if !slices.Contains(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId}) {
			done = append(done, m)
		}
	}
	return done
}
