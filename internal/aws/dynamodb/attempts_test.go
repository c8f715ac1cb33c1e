package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/storetest"
)

var (
	errDown  = errors.New("down")
	errTwice = errors.New("the list of item keys contains duplicates")
)

// table answers batch writes as told: how many of each request's items it
// leaves unprocessed.
type table struct {
	AttemptsAPI
	unprocessed []int
	err         error
	sizes       []int
	kept        int
}

func (f *table) BatchWriteItem(_ context.Context, in *sdk.BatchWriteItemInput, _ ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error) {
	requests := in.RequestItems["attempts"]
	f.sizes = append(f.sizes, len(requests))
	if f.err != nil {
		return nil, f.err
	}
	keys := map[string]bool{}
	for _, r := range requests {
		key := text(r.PutRequest.Item[webhookIDName]) + "/" + text(r.PutRequest.Item[sortKeyName])
		if keys[key] {
			return nil, errTwice
		}
		keys[key] = true
	}
	left := 0
	if len(f.unprocessed) > 0 {
		left, f.unprocessed = f.unprocessed[0], f.unprocessed[1:]
	}
	f.kept += len(requests) - left
	return &sdk.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{"attempts": requests[len(requests)-left:]}}, nil
}

func TestPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		records     int
		twice       int // so many of them come a second time
		unprocessed []int
		err         error
		patience    int // how often Wait waits before its context ends
		sizes       []int
		kept        int
		is          error
	}{
		{name: "none"},
		{name: "one request", records: 25, sizes: []int{25}, kept: 25},
		{name: "two requests", records: 26, sizes: []int{25, 1}, kept: 26},
		{name: "one message twice in a batch", records: 9, twice: 1, sizes: []int{9}, kept: 9},
		{name: "all of them twice", records: 25, twice: 25, sizes: []int{25}, kept: 25},
		{name: "some are left, twice", records: 10, unprocessed: []int{4, 3}, patience: 2, sizes: []int{10, 4, 3}, kept: 10},
		{name: "some are left for ever", records: 2, unprocessed: []int{2, 2, 2}, patience: 2, sizes: []int{2, 2, 2}, is: context.Canceled},
		{name: "refused", records: 30, err: errDown, sizes: []int{25}, is: errDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &table{unprocessed: c.unprocessed, err: c.err}
			a := &Attempts{API: f, Table: "attempts", Wait: func(context.Context, time.Duration) error {
				if c.patience--; c.patience < 0 {
					return context.Canceled
				}
				return nil
			}}
			var records []attempt.Record
			for i := range c.records {
				records = append(records, attempt.Record{WebhookID: "w", MessageID: fmt.Sprint(i), Attempt: 1,
					Verdict: attempt.Delivered})
			}
			err := a.Put(t.Context(), append(records, records[:c.twice]...))
			if !errors.Is(err, c.is) {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			if err != nil && !strings.Contains(err.Error(), "attempts") {
				t.Errorf("%q does not name the table", err)
			}
			if diff := cmp.Diff(c.sizes, f.sizes); diff != "" || f.kept != c.kept {
				t.Errorf("%d kept, want %d; requests (-want +got):\n%s", f.kept, c.kept, diff)
			}
		})
	}
}

// TestAttempts runs the suite on a table that is played.
func TestAttempts(t *testing.T) {
	t.Parallel()
	storetest.TestAttempts(t, &Attempts{API: newFakeTable(webhookIDName, sortKeyName), Table: "attempts", Wait: atOncePause})
	storetest.TestReports(t, &Attempts{API: newFakeTable(webhookIDName, sortKeyName), Table: "attempts", Wait: atOncePause})
}

// TestPutUnlessSettled: a write that is refused because more is settled is no
// error, any other is, and the others are made all the same.
func TestPutUnlessSettled(t *testing.T) {
	t.Parallel()
	var records []attempt.Record
	for i, v := range []attempt.Verdict{attempt.Delivered, attempt.Held, attempt.Retryable, attempt.Permanent, attempt.Exhausted} {
		records = append(records, attempt.Record{WebhookID: "w", MessageID: fmt.Sprint(i), Attempt: 1, Verdict: v})
	}
	for _, c := range []struct {
		name          string
		before, after error
		of            string // the request that it is of
		kept          int
		is            error
	}{
		{"all", nil, nil, "", 5, nil},
		{"more is settled", &types.ConditionalCheckFailedException{}, nil, "PutItem", 1, nil},
		{"refused", errDown, nil, "PutItem", 1, errDown},
		{"failed but persisted", nil, errDown, "PutItem", 5, errDown},
		{"the delivered one is refused", errDown, nil, "BatchWriteItem", 4, errDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeTable(webhookIDName, sortKeyName)
			f.fault = func(request string, _ any) (before, after error) {
				if request == c.of {
					return c.before, c.after
				}
				return nil, nil
			}
			err := (&Attempts{API: f, Table: "attempts"}).Put(t.Context(), records)
			if !errors.Is(err, c.is) || err != nil && !strings.Contains(err.Error(), "table attempts") {
				t.Errorf("got %v, want %v", err, c.is)
			}
			if want := map[string]int{"BatchWriteItem": 1, "PutItem": 4}; len(f.items) != c.kept || !cmp.Equal(f.requests, want) {
				t.Errorf("%d kept by requests %v; want %d by %v", len(f.items), f.requests, c.kept, want)
			}
		})
	}
}

// TestOneWriteUnit holds the price of an attempt: an item of up to 1 KB costs one
// write unit, and its copy in the index one more ("Amazon DynamoDB read/write
// capacity").
func TestOneWriteUnit(t *testing.T) {
	t.Parallel()
	typical := attempt.Record{
		WebhookID: uuid.NewString(), Origin: uuid.NewString(), MessageID: uuid.NewString(), Attempt: 1,
		At:  time.Date(2026, 11, 24, 8, 0, 0, 123_456_789, time.UTC),
		URL: "https://" + strings.Repeat("u", 52), EventType: "invoice.paid", Tenant: "customer-1042", DurationMS: 9999,
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
	}
	delivered, long, failed, waits := typical, typical, typical, typical
	delivered.Status, delivered.Verdict = 200, attempt.Delivered
	long.URL, long.EventType = "https://"+strings.Repeat("u", 200), strings.Repeat("e", 64)
	long.Verdict = attempt.Delivered
	failed.Status, failed.Verdict, failed.Reason, failed.Response = 404, attempt.Permanent, strings.Repeat("r", 60), strings.Repeat("a", 200)
	waits.Status, waits.Verdict, waits.Reason, waits.Response = 503, attempt.Retryable, failed.Reason, failed.Response
	waits.NextAt, waits.Waiting, waits.Held = waits.At.Add(time.Hour), true, "trouble=60"
	for name, c := range map[string]struct {
		record attempt.Record
		most   int
	}{
		"delivered": {delivered, 640}, "delivered, a long url": {long, 1024}, "failed": {failed, 1024}, "waits": {waits, 1024},
	} {
		item, err := toItem(c.record)
		if err != nil {
			t.Fatal(err)
		}
		size := sizeOf(item)
		delete(item, responseName) // which the index has not
		t.Logf("%s: %d bytes, in the index %d", name, size, sizeOf(item))
		if size > c.most {
			t.Errorf("%s: %d bytes, want at most %d", name, size, c.most)
		}
	}
}

// TestResponsesStandApart: the index has all of record, and so no response; one
// from before has it there, and is read.
func TestResponsesStandApart(t *testing.T) {
	t.Parallel()
	r := attempt.Record{WebhookID: "w", MessageID: "m", Attempt: 1, Verdict: attempt.Permanent, Response: "the answer"}
	kept, err := toItem(r)
	if err != nil || strings.Contains(text(kept[recordName]), "the answer") {
		t.Fatalf("%v, %v", kept, err)
	}
	before, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	old := map[string]types.AttributeValue{recordName: &types.AttributeValueMemberS{Value: string(before)}}
	for name, item := range map[string]map[string]types.AttributeValue{"an item": kept, "one from before": old} {
		if got, err := fromItem(item); err != nil || !cmp.Equal(got, r) {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
	f := newFailureTable(t, 10)
	old[failedInName], old[failedAtName] = kept[failedInName], kept[failedAtName]
	f.items = append(f.items, old)
	got, err := (&Attempts{API: f, Table: "attempts"}).NewestFailures(t.Context(), "webhook-failures", "", "", 10)
	if r.Response = ""; err != nil || !cmp.Equal(got, []attempt.Record{r}) {
		t.Errorf("the index gives %+v, %v", got, err)
	}
}

// history answers queries page by page, one item each.
type history struct {
	AttemptsAPI
	items        []map[string]types.AttributeValue
	inconsistent int
	pages        int
}

func (h *history) Query(_ context.Context, in *sdk.QueryInput, _ ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	if in.ConsistentRead == nil || !*in.ConsistentRead || in.IndexName != nil {
		h.inconsistent++
	}
	out := &sdk.QueryOutput{Items: h.items[h.pages : h.pages+1]}
	if h.pages++; h.pages < len(h.items) {
		out.LastEvaluatedKey = out.Items[0]
	}
	return out, nil
}

// TestHistoriesAreReadConsistently: who reads less than all that was kept sends
// again what was delivered. Every page asks for it.
func TestHistoriesAreReadConsistently(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*Attempts) ([]attempt.Record, error){
		"of a message":    func(a *Attempts) ([]attempt.Record, error) { return a.OfMessage(t.Context(), "w", "m") },
		"of a webhook id": func(a *Attempts) ([]attempt.Record, error) { return a.OfWebhook(t.Context(), "w") },
	} {
		h := &history{}
		for n := range 3 {
			item, err := toItem(attempt.Record{WebhookID: "w", MessageID: "m", Attempt: n + 1})
			if err != nil {
				t.Fatal(err)
			}
			h.items = append(h.items, item)
		}
		if got, err := read(&Attempts{API: h, Table: "attempts"}); err != nil || len(got) != 3 || h.pages != 3 || h.inconsistent > 0 {
			t.Errorf("%s: %d records by %d queries, %d of which were not consistent; %v", name, len(got), h.pages, h.inconsistent, err)
		}
	}
}

// TestThirtyDays: that is how long the table's TTL leaves a record and a claim.
func TestThirtyDays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	record, recordErr := toItem(attempt.Record{WebhookID: "w", MessageID: "m", Attempt: 1, At: at})
	taken, takenErr := claimItem(claim.Claim{Queue: "q", ItemID: "i", At: at, Until: at.Add(time.Minute)})
	if recordErr != nil || takenErr != nil {
		t.Fatal(recordErr, takenErr)
	}
	want := fmt.Sprint(time.Date(2026, 12, 24, 8, 0, 0, 0, time.UTC).Unix())
	for name, item := range map[string]map[string]types.AttributeValue{"a record": record, "a claim": taken} {
		if n, ok := item["expires_at"].(*types.AttributeValueMemberN); !ok || n.Value != want {
			t.Errorf("%s expires at %v, want %s", name, item["expires_at"], want)
		}
	}
}

// TestItemsFromBefore: what was written before records had origins is read, and
// is of its message.
func TestItemsFromBefore(t *testing.T) {
	t.Parallel()
	r, err := fromItem(map[string]types.AttributeValue{recordName: &types.AttributeValueMemberS{
		Value: `{"webhook_id":"w","message_id":"m","attempt":2,"at":"2026-11-24T08:00:00Z","url":"u","event_type":"e","status":503,` +
			`"duration_ms":1,"verdict":"exhausted","reason":"503","response":"","truncated":false}`}})
	if err != nil || r.OriginID() != "m" || r.Attempt != 2 || r.Verdict != attempt.Exhausted {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestItemsThatAreNoRecords(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]map[string]types.AttributeValue{
		"nothing":  {},
		"a number": {recordName: &types.AttributeValueMemberN{Value: "1"}},
		"no JSON":  {recordName: &types.AttributeValueMemberS{Value: "{"}},
	} {
		if r, err := fromItem(item); err == nil {
			t.Errorf("%s was read as %+v", name, r)
		}
	}
}
