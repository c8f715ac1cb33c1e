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
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
)

var errDown = errors.New("down")

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
				records = append(records, attempt.Record{WebhookID: "w", MessageID: fmt.Sprint(i), Attempt: 1})
			}
			err := a.Put(t.Context(), records)
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

// TestDeliveredFitsOneWriteUnit holds the price of a delivery: an item of up to
// 1 KB costs one write unit ("Amazon DynamoDB read/write capacity").
func TestDeliveredFitsOneWriteUnit(t *testing.T) {
	t.Parallel()
	item, err := toItem(attempt.Record{
		WebhookID: strings.Repeat("w", 36), MessageID: strings.Repeat("m", 36), Attempt: 1, At: time.Now(),
		URL: "https://" + strings.Repeat("u", 200), EventType: strings.Repeat("e", 64), Status: 200, DurationMS: 9999, Verdict: attempt.Delivered,
	})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for name, value := range item {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		}
	}
	if size > 1024 {
		t.Errorf("a delivered attempt takes %d bytes, more than one write unit", size)
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
