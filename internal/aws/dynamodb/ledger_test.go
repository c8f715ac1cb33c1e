package awsdynamodb_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/storetest"
)

type item = map[string]types.AttributeValue

// ledgerTable plays a table, and counts what AWS would bill ("Read and write
// operations" in the DynamoDB developer guide).
type ledgerTable struct {
	mu           sync.Mutex
	items        map[string]item
	writes, puts int
	reads        int
	largestHead  int
}

func text(v types.AttributeValue) string { return v.(*types.AttributeValueMemberS).Value }

func keyOf(i item) string { return text(i["lane"]) + "/" + text(i["item"]) }

func sizeOf(i item) (size int) {
	for name, v := range i {
		size += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		}
	}
	return size
}

func units(size, each int) int { return max(1, (size+each-1)/each) }

func (f *ledgerTable) GetItem(_ context.Context, in *sdk.GetItemInput, _ ...func(*sdk.Options)) (*sdk.GetItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.items[keyOf(in.Key)]
	f.reads += units(sizeOf(found), 4096)
	return &sdk.GetItemOutput{Item: found}, nil
}

func (f *ledgerTable) PutItem(_ context.Context, in *sdk.PutItemInput, _ ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.items[keyOf(in.Item)]
	size := max(sizeOf(in.Item), sizeOf(kept))
	f.writes += units(size, 1024)
	f.puts++
	if text(in.Item["item"]) == "head" {
		f.largestHead = max(f.largestHead, size)
	}
	if in.ConditionExpression != nil {
		var ok bool
		switch *in.ConditionExpression {
		case "attribute_not_exists(#version)":
			ok = kept == nil
		case "#version = :was":
			ok = kept != nil && kept["version"].(*types.AttributeValueMemberN).Value ==
				in.ExpressionAttributeValues[":was"].(*types.AttributeValueMemberN).Value
		}
		if !ok {
			return nil, &types.ConditionalCheckFailedException{}
		}
	}
	f.items[keyOf(in.Item)] = maps.Clone(in.Item)
	return &sdk.PutItemOutput{}, nil
}

func (f *ledgerTable) Query(_ context.Context, in *sdk.QueryInput, _ ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	prefix := text(in.ExpressionAttributeValues[":l"]) + "/" + text(in.ExpressionAttributeValues[":i"])
	from := ""
	if in.ExclusiveStartKey != nil {
		from = keyOf(in.ExclusiveStartKey)
	}
	out, size := &sdk.QueryOutput{}, 0
	for _, key := range slices.Sorted(maps.Keys(f.items)) {
		if !strings.HasPrefix(key, prefix) || key <= from {
			continue
		}
		i := f.items[key]
		if size += sizeOf(i); size > 1<<20 && len(out.Items) > 0 {
			last := out.Items[len(out.Items)-1]
			out.LastEvaluatedKey = item{"lane": last["lane"], "item": last["item"]}
			break
		}
		out.Items = append(out.Items, i)
	}
	f.reads += units(size, 4096)
	return out, nil
}

func (f *ledgerTable) BatchWriteItem(_ context.Context, in *sdk.BatchWriteItemInput, _ ...func(*sdk.Options)) (
	*sdk.BatchWriteItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &sdk.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
	for table, requests := range in.RequestItems {
		if len(requests) > 25 {
			return nil, fmt.Errorf("%d requests in a batch", len(requests))
		}
		if len(requests) > 20 { // as when it is throttled
			out.UnprocessedItems[table], requests = requests[20:], requests[:20]
		}
		for _, r := range requests {
			key := keyOf(r.DeleteRequest.Key)
			f.writes += units(sizeOf(f.items[key]), 1024)
			delete(f.items, key)
		}
	}
	return out, nil
}

func now(context.Context, time.Duration) error { return nil }

func TestLedger(t *testing.T) {
	t.Parallel()
	storetest.TestLedger(t, func(*testing.T) storetest.Ledger {
		return &awsdynamodb.Ledger{API: &ledgerTable{items: map[string]item{}}, Table: "ledger", Wait: now}
	})
}

// counted counts the requests of an S3.
type counted struct {
	*objects.Memory
	mu         sync.Mutex
	puts, gets int
}

func (c *counted) Put(ctx context.Context, path string, b []byte) error {
	c.mu.Lock()
	c.puts++
	c.mu.Unlock()
	return c.Memory.Put(ctx, path, b)
}

func (c *counted) Get(ctx context.Context, path string) ([]byte, error) {
	c.mu.Lock()
	c.gets++
	c.mu.Unlock()
	return c.Memory.Get(ctx, path)
}

// oneQueue is a queue that is never made again, and counts who asks.
type oneQueue struct{ asked int }

func (q *oneQueue) Created(context.Context) (int64, error) { q.asked++; return 1_700_000_000, nil }

func (*oneQueue) ChangeVisibility(context.Context, []message.Hide) error { return nil }

// TestWhatAMillionEntriesCost appends entries as deliver writes them, 100 a
// commit, and counts what AWS bills, at us-east-1's prices on demand.
func TestWhatAMillionEntriesCost(t *testing.T) {
	t.Parallel()
	const total = 66_000 // more than fills a tile of level 1
	table, s3, queue := &ledgerTable{items: map[string]item{}}, &counted{Memory: objects.NewMemory()}, &oneQueue{}
	store := &awsdynamodb.Ledger{API: table, Table: "ledger", Wait: now}
	h, err := audit.New(audit.Needs{Heads: store, Staging: store, Objects: s3, Queue: queue, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	sequence := 0
	for range total / 100 {
		var batch []events.SQSMessage
		for range 5 { // each announces ten webhooks, and concludes them
			for _, body := range tenWebhooks(t, sequence) {
				sequence++
				batch = append(batch, events.SQSMessage{
					MessageId: fmt.Sprint(sequence), Body: string(body), EventSourceARN: "arn",
					Attributes: map[string]string{
						"MessageGroupId": "lane-0", "SequenceNumber": fmt.Sprintf("%020d", sequence), "SentTimestamp": "1800000000000"},
				})
			}
		}
		response, err := h.Handle(t.Context(), events.SQSEvent{Records: batch})
		if err != nil || len(response.BatchItemFailures) > 0 {
			t.Fatalf("%+v, %v", response, err)
		}
	}
	head, err := store.Head(t.Context(), "lane-0")
	if err != nil || head.Size != total || head.Published != total/256*256 {
		t.Fatalf("the head is at %d, %d published, %v", head.Size, head.Published, err)
	}
	million := func(n int) float64 { return float64(n) / total }
	dollars := million(table.writes)*0.625 + million(table.reads)*0.125 + million(s3.puts)*5 + million(s3.gets)*0.40 +
		million(queue.asked)*0.50
	t.Logf("a million entries, in millions: %.3f write units, %.3f read units, %.4f PUTs, %.4f GETs; $%.3f; the largest head: %d bytes",
		million(table.writes), million(table.reads), million(s3.puts), million(s3.gets), dollars, table.largestHead)
	if million(table.writes) > 0.15 || dollars > 0.15 {
		t.Error("that is over 0.15 million write units, or $0.15")
	}
}

// tenWebhooks are the two audit messages of ten webhooks.
func tenWebhooks(t *testing.T, seed int) [][]byte {
	t.Helper()
	var before, after []ledger.Entry
	at := time.Unix(1_800_000_000, int64(seed)*137_000_000)
	redactor := ledger.NewRedactor([]byte("november"), false)
	for i := range 10 {
		id := uuid.NewString()
		url := fmt.Sprintf("https://hooks.customer-%d.test/%s", (seed+i)%50, uuid.NewString())
		e := ledger.Entry{Action: ledger.WebhookAttempt, Actor: "efferent:deliver", Attempt: 1, ID: id + "#1", MessageID: id,
			Tenant: fmt.Sprintf("customer-%d", (seed+i)%50), Timestamp: at, WebhookID: fmt.Sprintf("evt_%d", seed*10+i)}
		e.Resource = redactor.BeforeSending(url, "invoice.paid")
		before = append(before, e)
		e.Action, e.Resource = ledger.WebhookDelivered, redactor.AfterSending(url, 200)
		e.Timestamp = at.Add(time.Duration(50+37*i) * time.Millisecond)
		after = append(after, e)
	}
	var bodies [][]byte
	for _, entries := range [][]ledger.Entry{before, after} {
		some, err := ledger.Messages(entries, ledger.MessageLimit)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, some...)
	}
	return bodies
}
