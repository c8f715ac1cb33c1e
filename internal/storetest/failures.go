package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
)

// Failures is what a store of attempts promises of its index of failures.
type Failures interface {
	Attempts
	NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error)
	ForgetFailures(ctx context.Context, records []attempt.Record) error
}

// TestFailures runs the suite. The tests share the index's two queues, so each
// of them has a day of its own.
func TestFailures(t *testing.T, store Failures) {
	t.Helper()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for day, c := range []struct {
		name string
		test func(*testing.T, *failures)
	}{
		{"nothing is there at first", failuresNone},
		{"newest first, and bounded", failuresOrder},
		{"page by page", failuresPages},
		{"at the same time", failuresSameTime},
		{"what is no failure", failuresOthers},
		{"queues apart", failuresQueues},
		{"replaced", failuresReplaced},
		{"forgotten", failuresForgotten},
		{"large records", failuresLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, &failures{Failures: store, start: today.AddDate(0, 0, day+1)})
		})
	}
}

// failures is the store as one test sees it: its own day.
type failures struct {
	Failures
	start time.Time
}

const webhookFailures = "webhook-failures"

func (f *failures) failure(second int) attempt.Record {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	r.At, r.Verdict, r.NextAt, r.Reason, r.Tenant = f.start.Add(time.Duration(second)*time.Second), attempt.Permanent, time.Time{},
		"404", "acme"
	return r
}

func (f *failures) at(second int) attempt.Position {
	return attempt.PositionAt(f.start.Add(time.Duration(second) * time.Second))
}

// patience is how long an index may lag behind its table.
const patience = 10 * time.Second

// want asks until the answer is as wanted: an index may lag behind.
func (f *failures) want(t *testing.T, queue string, from, before attempt.Position, limit int, want []attempt.Record) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		got, err := f.NewestFailures(t.Context(), queue, from, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		diff := gocmp.Diff(want, got)
		if diff == "" {
			return
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatalf("failures from %s to %s (-want +got):\n%s", from, before, diff)
		}
	}
}

func failuresNone(t *testing.T, f *failures) {
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, nil)
	f.want(t, webhookFailures, f.at(60), f.at(0), 10, nil)
	f.want(t, "nobody's", "", "", 10, nil)
}

func failuresOrder(t *testing.T, f *failures) {
	a, b, c := f.failure(1), f.failure(2), f.failure(3)
	b.Verdict = attempt.Exhausted
	put(t, f, b, c, a)
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, []attempt.Record{c, b, a})
	f.want(t, webhookFailures, f.at(0), f.at(60), 2, []attempt.Record{c, b})
	f.want(t, webhookFailures, f.at(2), f.at(60), 10, []attempt.Record{c, b})
	f.want(t, webhookFailures, b.Position(), f.at(60), 10, []attempt.Record{c, b})
	f.want(t, webhookFailures, f.at(0), b.Position(), 10, []attempt.Record{a})
}

func failuresPages(t *testing.T, f *failures) {
	var all []attempt.Record
	for i := 99; i >= 0; i-- {
		all = append(all, f.failure(i))
	}
	put(t, f, all...)
	f.want(t, webhookFailures, f.at(0), f.at(100), 200, all)
	before := f.at(100)
	for i := 0; i < len(all); i += 7 {
		page := all[i:min(i+7, len(all))]
		f.want(t, webhookFailures, f.at(0), before, 7, page)
		before = page[len(page)-1].Position()
	}
	f.want(t, webhookFailures, f.at(0), before, 7, nil)
}

func failuresSameTime(t *testing.T, f *failures) {
	var all []attempt.Record
	for range 20 {
		all = append(all, f.failure(1))
	}
	put(t, f, all...)
	slices.SortFunc(all, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	f.want(t, webhookFailures, f.at(0), f.at(60), 100, all)
	before := f.at(60)
	for i := 0; i < len(all); i += 3 {
		page := all[i:min(i+3, len(all))]
		f.want(t, webhookFailures, f.at(0), before, 3, page)
		before = page[len(page)-1].Position()
	}
	f.want(t, webhookFailures, f.at(0), before, 3, nil)
}

func failuresOthers(t *testing.T, f *failures) {
	failed := f.failure(1)
	again, sent := failed, f.failure(2)
	again.Attempt, again.Verdict = 2, attempt.Retryable
	sent.Verdict = attempt.Delivered
	put(t, f, failed, again, sent)
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, []attempt.Record{failed})
}

func failuresQueues(t *testing.T, f *failures) {
	webhook, notification := f.failure(1), f.failure(2)
	notification.Notification, notification.Channel, notification.FailedChannels = true, "sms", []string{"email", "sms"}
	put(t, f, webhook, notification)
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, []attempt.Record{webhook})
	f.want(t, "notification-failures", f.at(0), f.at(60), 10, []attempt.Record{notification})
}

// failuresReplaced: what is a failure no more is not in the index, and what is
// passed over does not get into it, nor anything out of it.
func failuresReplaced(t *testing.T, f *failures) {
	delivered, dropped, again, stays, forgotten := f.failure(1), f.failure(2), f.failure(3), f.failure(4), f.failure(5)
	put(t, f, delivered, dropped, again, stays, forgotten)
	if err := f.ForgetFailures(t.Context(), []attempt.Record{forgotten}); err != nil {
		t.Fatal(err)
	}
	failed, less, late := delivered, stays, forgotten
	delivered.Verdict, dropped.Dropped, again.Verdict, again.Reason = attempt.Delivered, true, attempt.Exhausted, "again"
	again.At = again.At.Add(10 * time.Second)
	less.Verdict, late.Verdict = attempt.Retryable, attempt.Held
	put(t, f, delivered, dropped, again, less, late)
	put(t, f, failed)
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, []attempt.Record{again, stays})
}

func failuresForgotten(t *testing.T, f *failures) {
	a, b, unknown := f.failure(1), f.failure(2), f.failure(3)
	put(t, f, a, b)
	for range 2 {
		if err := f.ForgetFailures(t.Context(), []attempt.Record{b, unknown}); err != nil {
			t.Fatal(err)
		}
	}
	f.want(t, webhookFailures, f.at(0), f.at(60), 10, []attempt.Record{a})
	wantMessage(t, f, b.WebhookID, b.MessageID, []attempt.Record{b})
	wantMessage(t, f, unknown.WebhookID, unknown.MessageID, nil)
	if err := f.ForgetFailures(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// failuresLarge holds more than the 1 MB that DynamoDB reads at a time. None has
// its response.
func failuresLarge(t *testing.T, f *failures) {
	var all, kept []attempt.Record
	for i := range 600 {
		r := f.failure(600 - i)
		r.Reason = fmt.Sprintf("%04000d", i)
		withResponse := r
		withResponse.Response = "no"
		all, kept = append(all, r), append(kept, withResponse)
	}
	put(t, f, kept...)
	f.want(t, webhookFailures, f.at(0), f.at(601), 1000, all)
}
