package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// table plays a table of DynamoDB, with what AWS bills on the bill ("Read and
// write operations", "DynamoDB item sizes and formats", "Using Global Secondary
// Indexes in DynamoDB"). Storage is that of all the time until an item expires.
// Of a table without a sort key, sort is empty.
type table struct {
	hash, sort string
	indexes    []index
	bill       *bill
	now        func() time.Time

	mu    sync.Mutex
	items map[string]map[string]item // by their keys
	order map[string][]string        // the sort keys of each hash key, in order
}

// index is a sparse one: it has the items that have its hash key, with its keys,
// the table's, and one attribute more.
type index struct{ hash, sort, with string }

func newTable(hash, sort string, b *bill, now func() time.Time) *table {
	return &table{hash: hash, sort: sort, bill: b, now: now,
		items: map[string]map[string]item{}, order: map[string][]string{}}
}

// billed is the table as somebody else uses it, at another time.
func (t *table) billed(b *bill) *table {
	return &table{hash: t.hash, sort: t.sort, indexes: t.indexes, bill: b, now: t.now, items: t.items, order: t.order}
}

func textOf(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

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

// unitsOf is how many units of so many bytes a size is.
func unitsOf(size, each int) float64 { return float64(max(1, (size+each-1)/each)) }

// indexed is what an index has of an item, nil for nothing.
func (t *table) indexed(x index, i item) item {
	if i[x.hash] == nil {
		return nil
	}
	part := item{}
	for _, name := range []string{t.hash, t.sort, x.hash, x.sort, x.with} {
		part[name] = i[name]
	}
	return part
}

// replace puts an item, or deletes it where that is nil: both cost what the
// larger one of the two is.
func (t *table) replace(key, now item) {
	hash, sort := textOf(key[t.hash]), textOf(key[t.sort])
	if t.items[hash] == nil {
		t.items[hash] = map[string]item{}
	}
	was := t.items[hash][sort]
	t.arrange(hash, sort, was != nil, now != nil)
	t.bill.add("wru", unitsOf(max(sizeOf(now), sizeOf(was)), 1024))
	for _, x := range t.indexes {
		t.bill.add("wru", indexUnits(x, t.indexed(x, was), t.indexed(x, now)))
	}
	t.store(was, -1)
	t.store(now, 1)
	if t.items[hash][sort] = maps.Clone(now); now == nil {
		delete(t.items[hash], sort)
	}
}

// arrange keeps the sort keys in order.
func (t *table) arrange(hash, sort string, was, is bool) {
	n, _ := slices.BinarySearch(t.order[hash], sort)
	switch {
	case is && !was:
		t.order[hash] = slices.Insert(t.order[hash], n, sort)
	case was && !is:
		t.order[hash] = slices.Delete(t.order[hash], n, n+1)
	}
}

// indexUnits is what a write costs in an index: nothing where nothing changes
// there, twice where a key does.
func indexUnits(x index, was, now item) float64 {
	moved := textOf(was[x.hash]) != textOf(now[x.hash]) || textOf(was[x.sort]) != textOf(now[x.sort])
	switch {
	case was == nil && now == nil, !moved && textOf(was[x.with]) == textOf(now[x.with]):
		return 0
	case was != nil && now != nil && moved:
		return unitsOf(sizeOf(was), 1024) + unitsOf(sizeOf(now), 1024)
	}
	return unitsOf(max(sizeOf(was), sizeOf(now)), 1024)
}

// store bills what an item takes until it expires. DynamoDB adds 100 bytes to
// each, in an index too.
func (t *table) store(i item, times float64) {
	expires, ok := i["expires_at"].(*types.AttributeValueMemberN)
	if !ok {
		return
	}
	seconds, err := strconv.ParseInt(expires.Value, 10, 64)
	if err != nil {
		return
	}
	size := sizeOf(i) + 100
	for _, x := range t.indexes {
		if part := t.indexed(x, i); part != nil {
			size += sizeOf(part) + 100
		}
	}
	t.bill.add("storage", times*float64(size)/gb*float64(time.Unix(seconds, 0).Sub(t.now()))/float64(month))
}

func (t *table) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("PutItem")
	old := t.items[textOf(in.Item[t.hash])][textOf(in.Item[t.sort])]
	if !holds(in, old) { // which costs a write all the same
		t.bill.add("wru", unitsOf(sizeOf(old), 1024))
		return nil, &types.ConditionalCheckFailedException{Item: old}
	}
	t.replace(in.Item, in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

func (t *table) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.DeleteItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("DeleteItem")
	t.replace(in.Key, nil)
	return &dynamodb.DeleteItemOutput{}, nil
}

func (t *table) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.BatchWriteItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("BatchWriteItem")
	for _, requests := range in.RequestItems {
		for _, r := range requests {
			if r.PutRequest != nil {
				t.replace(r.PutRequest.Item, r.PutRequest.Item)
			} else {
				t.replace(r.DeleteRequest.Key, nil)
			}
		}
	}
	return &dynamodb.BatchWriteItemOutput{}, nil
}

// read bills what was read.
func (t *table) read(size int, consistent *bool) {
	n := unitsOf(size, 4096)
	if !aws.ToBool(consistent) {
		n /= 2
	}
	t.bill.add("rru", n)
}

func (t *table) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("GetItem")
	found := t.items[textOf(in.Key[t.hash])][textOf(in.Key[t.sort])]
	t.read(sizeOf(found), in.ConsistentRead)
	return &dynamodb.GetItemOutput{Item: found}, nil
}

func (t *table) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.BatchGetItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("BatchGetItem")
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]item{}}
	for name, asked := range in.RequestItems {
		for _, key := range asked.Keys {
			found := t.items[textOf(key[t.hash])][textOf(key[t.sort])]
			if t.read(sizeOf(found), asked.ConsistentRead); found != nil {
				out.Responses[name] = append(out.Responses[name], found)
			}
		}
	}
	return out, nil
}

// Scan gives all of a small table.
func (t *table) Scan(_ context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sort != "" {
		return nil, errNotPlayed
	}
	t.bill.step("Scan")
	out, size := &dynamodb.ScanOutput{}, 0
	for _, all := range t.items {
		for _, i := range all {
			size += sizeOf(i)
			out.Items = append(out.Items, i)
		}
	}
	t.read(size, in.ConsistentRead)
	return out, nil
}

// pageLimit is how much a query reads at a time ("Query").
const pageLimit = 1 << 20

// Query takes conditions as the stores write them: the hash key is something, the
// sort key may begin with something or be from something on, and one attribute may
// be wanted.
func (t *table) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("Query")
	hash, prefix, from := conditions(in)
	items, keys := t.items[hash], t.order[hash]
	out, size := &dynamodb.QueryOutput{}, 0
	after := textOf(in.ExclusiveStartKey[t.sort])
	first, _ := slices.BinarySearch(keys, max(after, from, prefix))
	for _, key := range keys[first:] {
		if key == after {
			continue
		}
		if !strings.HasPrefix(key, prefix) {
			break
		}
		size += sizeOf(items[key])
		out.ScannedCount++
		if wanted(in, items[key]) {
			out.Count++
			out.Items = append(out.Items, items[key])
		}
		if size > pageLimit || in.Limit != nil && out.ScannedCount == *in.Limit {
			out.LastEvaluatedKey = item{t.hash: items[key][t.hash], t.sort: items[key][t.sort]}
			break
		}
	}
	t.read(size, in.ConsistentRead)
	return out, nil
}

func conditions(in *dynamodb.QueryInput) (hash, prefix, from string) {
	first, second, _ := strings.Cut(*in.KeyConditionExpression, " AND ")
	_, value, _ := strings.Cut(first, " = ")
	hash = textOf(in.ExpressionAttributeValues[value])
	if _, value, ok := strings.Cut(strings.TrimSuffix(second, ")"), ", "); ok {
		prefix = textOf(in.ExpressionAttributeValues[value])
	}
	if _, value, ok := strings.Cut(second, " >= "); ok {
		from = textOf(in.ExpressionAttributeValues[value])
	}
	return hash, prefix, from
}

func wanted(in *dynamodb.QueryInput, i item) bool {
	if in.FilterExpression == nil {
		return true
	}
	name, value, _ := strings.Cut(*in.FilterExpression, " = ")
	return textOf(i[in.ExpressionAttributeNames[name]]) == textOf(in.ExpressionAttributeValues[value])
}

var errNotPlayed = errors.New("this request is not made where costs are counted")

func (*table) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return nil, errNotPlayed
}

// waits is how many items of the waiting room wait.
func (t *table) waits() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, all := range t.items {
		for _, i := range all {
			if textOf(i["state"]) == "waiting" {
				n++
			}
		}
	}
	return n
}
