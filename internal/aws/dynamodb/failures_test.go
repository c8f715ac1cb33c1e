package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
)

var failedAt = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func failureAt(second int) attempt.Record {
	return attempt.Record{WebhookID: "w", MessageID: fmt.Sprint("m", second), Attempt: 1,
		At: failedAt.Add(time.Duration(second) * time.Second), Verdict: attempt.Permanent}
}

// failureTable is the index as Query and UpdateItem show it.
type failureTable struct {
	AttemptsAPI
	page int // the most items of one answer

	mu      sync.Mutex
	items   []map[string]types.AttributeValue // newest first
	asked   map[string]int                    // queries, by partition key
	err     error
	after   int // queries that are answered before err
	lose    bool
	updates int
}

func newFailureTable(t *testing.T, page int, records ...attempt.Record) *failureTable {
	t.Helper()
	f := &failureTable{page: page, asked: map[string]int{}, after: 1 << 30}
	for _, r := range records {
		item, err := toItem(r)
		if err != nil {
			t.Fatal(err)
		}
		f.items = append(f.items, item)
	}
	slices.SortFunc(f.items, func(a, b map[string]types.AttributeValue) int {
		return strings.Compare(text(b[failedAtName]), text(a[failedAtName]))
	})
	return f
}

func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func (f *failureTable) Query(_ context.Context, in *sdk.QueryInput, _ ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	values := in.ExpressionAttributeValues
	f.asked[text(values[":in"])]++
	if f.after--; f.after < 0 {
		return nil, f.err
	}
	if *in.IndexName != failuresIndex || *in.ScanIndexForward || *in.Limit < 1 || in.ConsistentRead != nil {
		return nil, errors.New("the query is not one of the index, newest first")
	}
	last := text(in.ExclusiveStartKey[failedAtName])
	out := &sdk.QueryOutput{}
	for _, item := range f.items {
		at := text(item[failedAtName])
		if text(item[failedInName]) != text(values[":in"]) || at < text(values[":from"]) || at > text(values[":before"]) || last != "" &&
			at >= last {
			continue
		}
		out.Items = append(out.Items, item)
		if len(out.Items) == min(f.page, int(*in.Limit)) {
			out.LastEvaluatedKey = item
			break
		}
	}
	return out, nil
}

func (f *failureTable) UpdateItem(_ context.Context, in *sdk.UpdateItemInput, _ ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.updates++
	if f.err != nil && !f.lose {
		return nil, f.err
	}
	same := func(item map[string]types.AttributeValue) bool {
		return text(item[sortKeyName]) == text(in.Key[sortKeyName])
	}
	i := slices.IndexFunc(f.items, same)
	if i < 0 {
		return nil, &types.ConditionalCheckFailedException{}
	}
	delete(f.items[i], failedInName)
	delete(f.items[i], failedAtName)
	return &sdk.UpdateItemOutput{}, f.err
}

func seconds(records []attempt.Record) (got []int) {
	for _, r := range records {
		got = append(got, int(r.At.Sub(failedAt)/time.Second))
	}
	return got
}

func TestNewestFailures(t *testing.T) {
	t.Parallel()
	var records []attempt.Record
	for i := range 40 {
		records = append(records, failureAt(i))
	}
	for _, c := range []struct {
		name         string
		page         int
		from, before attempt.Position
		limit        int
		newest, last int
	}{
		{"all of them", 100, "", "", 100, 39, 0},
		{"a limit", 100, "", "", 5, 39, 35},
		{"the bounds", 100, records[10].Position(), records[20].Position(), 100, 19, 10},
		{"a time's bounds", 100, attempt.PositionAt(records[10].At), attempt.PositionAt(records[20].At), 100, 19, 10},
		{"the bound takes no place of the limit", 100, "", records[20].Position(), 1, 19, 19},
		{"pages shorter than the limit", 2, "", "", 30, 39, 10},
		{"pages of one, and the bound is one of them", 1, "", records[20].Position(), 20, 19, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFailureTable(t, c.page, records...)
			got, err := (&Attempts{API: f, Table: "attempts"}).NewestFailures(t.Context(), "webhook-failures", c.from, c.before, c.limit)
			var want []int
			for second := c.newest; second >= c.last; second-- {
				want = append(want, second)
			}
			if diff := cmp.Diff(want, seconds(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if len(f.asked) != shards {
				t.Errorf("queries by shard: %v; want all %d", f.asked, shards)
			}
		})
	}
}

// TestNoFailuresToAskFor: DynamoDB refuses a BETWEEN whose bounds are crossed,
// and a limit of 0.
func TestNoFailuresToAskFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, before attempt.Position
		limit        int
	}{
		"equal bounds":   {failureAt(1).Position(), failureAt(1).Position(), 10},
		"crossed bounds": {failureAt(2).Position(), failureAt(1).Position(), 10},
		"no limit":       {"", "", 0},
	} {
		f := newFailureTable(t, 10, failureAt(1))
		got, err := (&Attempts{API: f, Table: "attempts"}).NewestFailures(t.Context(), "webhook-failures", c.from, c.before, c.limit)
		if err != nil || len(got) != 0 || len(f.asked) != 0 {
			t.Errorf("%s: %v, %v by queries %v", name, got, err, f.asked)
		}
	}
}

func TestFailuresThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		after int
		bad   bool
		is    error
	}{
		{"at once", 0, false, errDown},
		{"after some pages", 6, false, errDown},
		{"an item that is no record", 1 << 30, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFailureTable(t, 1, failureAt(1), failureAt(2), failureAt(3), failureAt(4), failureAt(5))
			f.err, f.after = errDown, c.after
			if c.bad {
				delete(f.items[2], recordName)
			}
			got, err := (&Attempts{API: f, Table: "attempts"}).NewestFailures(t.Context(), "webhook-failures", "", "", 10)
			if err == nil || len(got) != 0 || !errors.Is(err, c.is) && c.is != nil || !strings.Contains(err.Error(), "attempts") {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestForgetFailures(t *testing.T) {
	t.Parallel()
	var records []attempt.Record
	for i := range 3 * atOnce {
		records = append(records, failureAt(i))
	}
	for _, c := range []struct {
		name  string
		err   error
		lose  bool
		is    error
		stays int
	}{
		{"all", nil, false, nil, 1},
		{"refused", errDown, false, errDown, len(records) + 1},
		{"failed but persisted", errDown, true, errDown, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFailureTable(t, 10, append(slices.Clone(records), failureAt(1000))...)
			f.err, f.lose = c.err, c.lose
			a := &Attempts{API: f, Table: "attempts"}
			err := a.ForgetFailures(t.Context(), records)
			if !errors.Is(err, c.is) || err != nil && !strings.Contains(err.Error(), "table attempts") {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			left := len(f.items) - len(slices.DeleteFunc(slices.Clone(f.items),
				func(item map[string]types.AttributeValue) bool { return item[failedInName] != nil }))
			if c.stays >= 0 && left != c.stays {
				t.Errorf("%d failures stay, want %d", left, c.stays)
			}
			// Once it works, the same again and those that are gone do no harm.
			f.err = nil
			if err := a.ForgetFailures(t.Context(), append(slices.Clone(records), failureAt(5000))); err != nil {
				t.Error(err)
			}
			if got, err := a.NewestFailures(t.Context(), "webhook-failures", "", "", 100); err != nil || !slices.Equal(seconds(got), []int{1000}) {
				t.Errorf("in the index: %v, %v", seconds(got), err)
			}
		})
	}
}

// TestFailuresAreIndexed: the index is sparse, and its writes are spread.
func TestFailuresAreIndexed(t *testing.T) {
	t.Parallel()
	in := map[string]int{}
	for i := range 4000 {
		r := failureAt(i)
		item, err := toItem(r)
		if err != nil {
			t.Fatal(err)
		}
		in[text(item[failedInName])]++
		if text(item[failedAtName]) != string(r.Position()) {
			t.Fatalf("failed_at is %q", text(item[failedAtName]))
		}
	}
	for shard := range 4 {
		key := fmt.Sprint("webhook-failures#", shard)
		if n := in[key]; n < 800 || n > 1200 {
			t.Errorf("%s has %d of 4000 failures", key, n)
		}
	}
	for _, verdict := range []attempt.Verdict{attempt.Delivered, attempt.Retryable} {
		item, err := toItem(attempt.Record{WebhookID: "w", MessageID: "m", Attempt: 1, Verdict: verdict})
		if err != nil || item[failedInName] != nil || item[failedAtName] != nil {
			t.Errorf("a %s attempt is in the index: %v, %v", verdict, item, err)
		}
	}
}
