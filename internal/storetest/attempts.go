// Package storetest holds one suite per kind of store. Every implementation
// passes the same suite.
package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
)

// Attempts is a store of attempts.
type Attempts = attempt.Store

// TestAttempts runs the suite of what attempt.Store promises. The store may be shared by all of its tests:
// each uses ids of its own.
func TestAttempts(t *testing.T, store Attempts) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Attempts){
		"nothing is there at first":          attemptsEmpty,
		"every field comes back":             attemptsFields,
		"in order, and of one message":       attemptsOrder,
		"ids that begin alike":               attemptsPrefixes,
		"the same record twice is one":       attemptsTwice,
		"one attempt twice in a call":        attemptsTwiceAtOnce,
		"what settles less is passed over":   attemptsRanks,
		"from before there were origins":     attemptsWithoutOrigin,
		"more than one request holds":        attemptsMany,
		"a page of large records":            attemptsLarge,
		"at once, each reads its own writes": attemptsConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

var storedAt = time.Date(2026, 11, 24, 8, 0, 0, 123_456_000, time.UTC)

// record is an attempt under fresh ids; expiry is far off whenever this runs.
func record(webhookID, messageID string, n int) attempt.Record {
	return attempt.Record{
		WebhookID: webhookID, Origin: messageID, MessageID: messageID, Attempt: n, At: time.Now().UTC().Truncate(time.Millisecond),
		URL: "https://a.test/in", EventType: "e", Verdict: attempt.Retryable, NextAt: storedAt,
	}
}

func put(t *testing.T, s Attempts, records ...attempt.Record) {
	t.Helper()
	if err := s.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func wantMessage(t *testing.T, s Attempts, webhookID, messageID string, want []attempt.Record) {
	t.Helper()
	got, err := s.OfMessage(t.Context(), webhookID, messageID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts of %s (-want +got):\n%s", messageID, diff)
	}
}

func attemptsEmpty(t *testing.T, s Attempts) {
	wantMessage(t, s, uuid.NewString(), uuid.NewString(), nil)
	got, err := s.OfWebhook(t.Context(), uuid.NewString())
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v of an unknown webhook id", got, err)
	}
}

func attemptsFields(t *testing.T, s Attempts) {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	r.Origin = uuid.NewString()
	r.Tenant, r.Status, r.DurationMS, r.Verdict, r.Truncated = "acme", 503, 10_000, attempt.Exhausted, true
	r.Notification, r.Channel, r.Recipient, r.ProviderID = true, "sms", "+46700000000", "SM1"
	r.Class, r.FailedChannels = "transient", []string{"email", "sms"}
	r.Reason, r.Response, r.NextAt = "503 \"quoted\"\n", "<é\u2028\x00>", time.Time{}
	r.Uncounted, r.Untold, r.OutcomeDue, r.Waiting, r.Dropped = true, true, true, true, true
	r.Held, r.TraceID = "retry-after=3600,trouble=60", "4bf92f3577b34da6a3ce929d0e0e4736"
	put(t, s, r)
	wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r})
}

func attemptsOrder(t *testing.T, s Attempts) {
	id, first, second := uuid.NewString(), "a"+uuid.NewString(), "b"+uuid.NewString()
	var ofFirst, all []attempt.Record
	for n := 1; n <= 12; n++ {
		ofFirst = append(ofFirst, record(id, first, n))
	}
	all = append(all, ofFirst...)
	all = append(all, record(id, second, 1))
	for i := len(all) - 1; i >= 0; i-- {
		put(t, s, all[i])
	}
	wantMessage(t, s, id, first, ofFirst)
	got, err := s.OfWebhook(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("attempts of the webhook (-want +got):\n%s", diff)
	}
}

func attemptsPrefixes(t *testing.T, s Attempts) {
	id, message := uuid.NewString(), uuid.NewString()
	mine := record(id, message, 1)
	put(t, s, mine, record(id, message+"0", 1), record(id, message+"$", 1), record(id+"0", message, 1))
	wantMessage(t, s, id, message, []attempt.Record{mine})
}

func attemptsTwice(t *testing.T, s Attempts) {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	put(t, s, r)
	put(t, s, r)
	wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r})
}

// attemptsTwiceAtOnce: SQS delivers a message twice in one batch, and its other
// nine are kept all the same; more than one request of DynamoDB's holds, too.
func attemptsTwiceAtOnce(t *testing.T, s Attempts) {
	id := uuid.NewString()
	with := func(r attempt.Record, v attempt.Verdict, status int) attempt.Record {
		r.Verdict, r.Status = v, status
		return r
	}
	var all, want []attempt.Record
	for i := range 30 {
		r := record(id, fmt.Sprintf("m%03d", i), 1)
		all = append(all, with(r, attempt.Retryable, 503))
		want = append(want, with(r, attempt.Delivered, 200))
	}
	all = append(all, want...)
	late := with(want[0], attempt.Retryable, 500) // it settles less than the one before it
	put(t, s, append(all, late)...)
	got, err := s.OfWebhook(t.Context(), id)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// attemptsRanks puts every verdict on top of every other one, in one call and
// in two, and beside others that are kept whatever becomes of that one.
func attemptsRanks(t *testing.T, s Attempts) {
	verdicts := []attempt.Verdict{attempt.Held, attempt.Retryable, attempt.Permanent, attempt.Exhausted, attempt.Delivered}
	id := uuid.NewString()
	var first, second, want []attempt.Record
	for i, former := range verdicts {
		for k, later := range verdicts {
			of := fmt.Sprintf("m%d%d", i, k)
			a, b := record(id, of, 1), record(id, of, 1)
			a.Verdict, a.Status, a.Response, b.Verdict, b.Status = former, 1, "first", later, 2
			kept := a
			if later.Rank() >= former.Rank() {
				kept = b
			}
			first, second, want = append(first, a), append(second, b), append(want, kept)
		}
	}
	put(t, s, first...)
	put(t, s, second...)
	got, err := s.OfWebhook(t.Context(), id)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("in two calls: %v (-want +got):\n%s", err, diff)
	}
	other := uuid.NewString()
	for i := range want {
		first[i].WebhookID, second[i].WebhookID, want[i].WebhookID = other, other, other
	}
	put(t, s, append(first, second...)...)
	got, err = s.OfWebhook(t.Context(), other)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("in one call: %v (-want +got):\n%s", err, diff)
	}
}

// attemptsWithoutOrigin: such a record is of its message.
func attemptsWithoutOrigin(t *testing.T, s Attempts) {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	r.Origin = ""
	put(t, s, r)
	wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r})
	if r.OriginID() != r.MessageID {
		t.Errorf("its origin is %q", r.OriginID())
	}
}

func attemptsMany(t *testing.T, s Attempts) {
	id := uuid.NewString()
	var many []attempt.Record
	for i := range 130 {
		many = append(many, record(id, fmt.Sprintf("m%03d", i), 1))
	}
	put(t, s, many...)
	got, err := s.OfWebhook(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(many, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// attemptsLarge holds more than the 1 MB that DynamoDB reads at a time.
func attemptsLarge(t *testing.T, s Attempts) {
	id, message := uuid.NewString(), uuid.NewString()
	var large []attempt.Record
	for n := 1; n <= 320; n++ {
		r := record(id, message, n)
		r.Response = strings.Repeat("r", attempt.MaxResponse)
		large = append(large, r)
	}
	put(t, s, large...)
	wantMessage(t, s, id, message, large)
}

func attemptsConcurrent(t *testing.T, s Attempts) {
	id := uuid.NewString()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			message := uuid.NewString()
			var mine []attempt.Record
			for n := 1; n <= 5; n++ {
				r := record(id, message, n)
				mine = append(mine, r)
				if err := s.Put(t.Context(), []attempt.Record{r}); err != nil {
					t.Error(err)
					return
				}
				got, err := s.OfMessage(t.Context(), id, message)
				if err != nil {
					t.Error(err)
					return
				}
				if diff := cmp.Diff(mine, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
	all.Wait()
}
