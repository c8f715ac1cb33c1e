package awsdynamodb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// fakeTable plays a table, its indexes not, as far as the stores use it, with
// the limits that DynamoDB documents and shorter pages, and counts what AWS bills ("Read and write
// operations" in the DynamoDB developer guide). Half of a batch of over two
// items is left unprocessed.
type fakeTable struct {
	hash, sort string // sort is empty where the table has no sort key

	mu            sync.Mutex
	items         map[string]item
	writes, reads float64
	requests      map[string]int
	fault         func(request string, in any) (before, after error)
}

func newFakeTable(hash, sort string) *fakeTable {
	return &fakeTable{hash: hash, sort: sort, items: map[string]item{}, requests: map[string]int{}}
}

var errInvalid = errors.New("ValidationException")

const (
	itemLimit = 400 << 10
	pageLimit = 64 << 10 // of DynamoDB 1 MB
)

// sizeOf is an item's size ("DynamoDB item sizes and formats").
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
		default:
			panic(fmt.Sprintf("%s is a %T", name, v))
		}
	}
	return size
}

func units(size, each int) float64 { return float64(max(1, (size+each-1)/each)) }

func (f *fakeTable) key(i item) string { return text(i[f.hash]) + "\x00" + text(i[f.sort]) }

// keyOf is an item without what is not of its key.
func (f *fakeTable) keyOf(i item) item {
	key := item{f.hash: i[f.hash]}
	if f.sort != "" {
		key[f.sort] = i[f.sort]
	}
	return key
}

// begin counts a request, and makes its fault before it has an effect.
func (f *fakeTable) begin(name string, in any) (after, err error) {
	f.requests[name]++
	if f.fault == nil {
		return nil, nil
	}
	err, after = f.fault(name, in)
	return after, err
}

// compare orders two values of one type.
func compare(a, b types.AttributeValue) int {
	switch a := a.(type) {
	case *types.AttributeValueMemberN:
		x, xErr := strconv.ParseInt(a.Value, 10, 64)
		y, yErr := strconv.ParseInt(b.(*types.AttributeValueMemberN).Value, 10, 64)
		if xErr != nil || yErr != nil {
			panic(errors.Join(xErr, yErr))
		}
		return int(max(-1, min(1, x-y)))
	case *types.AttributeValueMemberS:
		return strings.Compare(a.Value, text(b))
	}
	return bytes.Compare(a.(*types.AttributeValueMemberB).Value, b.(*types.AttributeValueMemberB).Value)
}

// holds evaluates terms that are joined by AND, and those by OR.
func holds(expression *string, i item, names map[string]string, values item) bool {
	if expression == nil {
		return true
	}
	return slices.ContainsFunc(strings.Split(*expression, " OR "), func(all string) bool {
		return !slices.ContainsFunc(strings.Split(all, " AND "), func(term string) bool { return !termHolds(term, i, names, values) })
	})
}

func termHolds(term string, i item, names map[string]string, values item) bool {
	if name, ok := strings.CutPrefix(term, "attribute_not_exists("); ok {
		return i[names[strings.TrimSuffix(name, ")")]] == nil
	}
	if rest, ok := strings.CutPrefix(term, "begins_with("); ok {
		name, value, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ", ")
		return strings.HasPrefix(text(i[names[name]]), text(values[value]))
	}
	parts := strings.Split(term, " ")
	have, want := i[names[parts[0]]], values[parts[2]]
	if name, ok := names[parts[2]]; ok && i[name] != nil {
		want = i[name]
	}
	if want == nil && have != nil {
		panic("there is no value for " + term)
	}
	if have == nil {
		return false
	}
	switch order := compare(have, want); parts[1] {
	case "=":
		return order == 0
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	}
	panic("no such comparison: " + term)
}

func (f *fakeTable) put(i item) error {
	if sizeOf(i) > itemLimit || text(i[f.hash]) == "" || f.sort != "" && text(i[f.sort]) == "" {
		return fmt.Errorf("%w: an item of %d bytes", errInvalid, sizeOf(i))
	}
	f.writes += units(max(sizeOf(i), sizeOf(f.items[f.key(i)])), 1024)
	f.items[f.key(i)] = maps.Clone(i)
	return nil
}

func (f *fakeTable) PutItem(_ context.Context, in *sdk.PutItemInput, _ ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("PutItem", in)
	if err != nil {
		return nil, err
	}
	old := f.items[f.key(in.Item)]
	if !holds(in.ConditionExpression, old, in.ExpressionAttributeNames, in.ExpressionAttributeValues) {
		f.writes += units(sizeOf(old), 1024)
		failed := &types.ConditionalCheckFailedException{}
		if in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = old
		}
		return nil, cmp.Or(after, error(failed))
	}
	out := &sdk.PutItemOutput{}
	if in.ReturnValues == types.ReturnValueAllOld {
		out.Attributes = old
	}
	return out, errors.Join(f.put(in.Item), after)
}

func (f *fakeTable) DeleteItem(_ context.Context, in *sdk.DeleteItemInput, _ ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("DeleteItem", in)
	if err != nil {
		return nil, err
	}
	old := f.items[f.key(in.Key)]
	f.writes += units(sizeOf(old), 1024)
	if !holds(in.ConditionExpression, old, in.ExpressionAttributeNames, in.ExpressionAttributeValues) {
		return nil, cmp.Or(after, error(&types.ConditionalCheckFailedException{}))
	}
	delete(f.items, f.key(in.Key))
	return &sdk.DeleteItemOutput{}, after
}

func (f *fakeTable) GetItem(_ context.Context, in *sdk.GetItemInput, _ ...func(*sdk.Options)) (*sdk.GetItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("GetItem", in)
	if err != nil {
		return nil, err
	}
	found := f.items[f.key(in.Key)]
	f.bill(sizeOf(found), in.ConsistentRead)
	return &sdk.GetItemOutput{Item: maps.Clone(found)}, after
}

func (f *fakeTable) BatchGetItem(_ context.Context, in *sdk.BatchGetItemInput, _ ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("BatchGetItem", in)
	if err != nil {
		return nil, err
	}
	out := &sdk.BatchGetItemOutput{Responses: map[string][]item{}, UnprocessedKeys: map[string]types.KeysAndAttributes{}}
	for table, asked := range in.RequestItems {
		keys := map[string]bool{}
		for _, key := range asked.Keys {
			keys[f.key(key)] = true
		}
		n := len(asked.Keys)
		if n == 0 || n > 100 || len(keys) != n {
			return nil, fmt.Errorf("%w: %d keys of %d items", errInvalid, n, len(keys))
		}
		if n > 2 {
			left := asked
			left.Keys, asked.Keys = asked.Keys[n/2:], asked.Keys[:n/2]
			out.UnprocessedKeys[table] = left
		}
		for _, key := range asked.Keys {
			found := f.items[f.key(key)]
			if f.bill(sizeOf(found), asked.ConsistentRead); found != nil {
				out.Responses[table] = append(out.Responses[table], maps.Clone(found))
			}
		}
	}
	return out, after
}

func (f *fakeTable) bill(size int, consistent *bool) {
	n := units(size, 4096)
	if !aws.ToBool(consistent) {
		n /= 2
	}
	f.reads += n
}

func (f *fakeTable) BatchWriteItem(_ context.Context, in *sdk.BatchWriteItemInput, _ ...func(*sdk.Options)) (
	*sdk.BatchWriteItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("BatchWriteItem", in)
	if err != nil {
		return nil, err
	}
	out := &sdk.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
	for table, requests := range in.RequestItems {
		keys := map[string]bool{}
		for _, r := range requests {
			keys[f.key(r.PutRequest.Item)] = true
		}
		if len(requests) == 0 || len(requests) > 25 || len(keys) != len(requests) {
			return nil, fmt.Errorf("%w: %d requests for %d items", errInvalid, len(requests), len(keys))
		}
		if n := len(requests); n > 2 {
			out.UnprocessedItems[table], requests = requests[n/2:], requests[:n/2]
		}
		for _, r := range requests {
			if err := f.put(r.PutRequest.Item); err != nil {
				return nil, err
			}
		}
	}
	return out, after
}

// TransactWriteItems does all of it or nothing. Twice the write units are billed.
func (f *fakeTable) TransactWriteItems(_ context.Context, in *sdk.TransactWriteItemsInput, _ ...func(*sdk.Options)) (
	*sdk.TransactWriteItemsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("TransactWriteItems", in)
	if err != nil {
		return nil, err
	}
	var failed bool
	var reasons []types.CancellationReason
	for _, w := range in.TransactItems {
		reason := "None"
		if p, d := w.Put, w.Delete; p != nil && !holds(p.ConditionExpression, f.items[f.key(p.Item)], p.ExpressionAttributeNames,
			p.ExpressionAttributeValues) || d != nil && !holds(d.ConditionExpression, f.items[f.key(d.Key)], d.ExpressionAttributeNames,
			d.ExpressionAttributeValues) {
			reason, failed = "ConditionalCheckFailed", true
		}
		reasons = append(reasons, types.CancellationReason{Code: &reason})
	}
	if failed {
		return nil, cmp.Or(after, error(&types.TransactionCanceledException{CancellationReasons: reasons}))
	}
	return &sdk.TransactWriteItemsOutput{}, errors.Join(f.transact(in.TransactItems), after)
}

func (f *fakeTable) transact(all []types.TransactWriteItem) error {
	before := f.writes
	for _, w := range all {
		if w.Delete != nil {
			f.writes += units(sizeOf(f.items[f.key(w.Delete.Key)]), 1024)
			delete(f.items, f.key(w.Delete.Key))
		} else if err := f.put(w.Put.Item); err != nil {
			return err
		}
	}
	f.writes += f.writes - before
	return nil
}

// page reads on from a key: up to limit items and 1 MB of those that are wanted,
// of which those are given that the filter leaves.
func (f *fakeTable) page(from item, limit *int32, consistent *bool, wanted, filter func(item) bool) (page []item, last item) {
	size, looked := 0, int32(0)
	for _, key := range slices.Sorted(maps.Keys(f.items)) {
		i := f.items[key]
		if from != nil && key <= f.key(from) || !wanted(i) {
			continue
		}
		if size += sizeOf(i); filter(i) {
			page = append(page, maps.Clone(i))
		}
		if looked++; size > pageLimit || limit != nil && looked == *limit {
			last = f.keyOf(i)
			break
		}
	}
	f.bill(size, consistent)
	return page, last
}

func (f *fakeTable) Query(_ context.Context, in *sdk.QueryInput, _ ...func(*sdk.Options)) (*sdk.QueryOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("Query", in)
	if err != nil {
		return nil, err
	}
	if in.Limit != nil && *in.Limit < 1 {
		return nil, errInvalid
	}
	names, values := in.ExpressionAttributeNames, in.ExpressionAttributeValues
	page, last := f.page(in.ExclusiveStartKey, in.Limit, in.ConsistentRead,
		func(i item) bool { return holds(in.KeyConditionExpression, i, names, values) },
		func(i item) bool { return holds(in.FilterExpression, i, names, values) })
	out := &sdk.QueryOutput{Items: page, Count: int32(len(page)), LastEvaluatedKey: last}
	if in.Select == types.SelectCount {
		out.Items = nil
	}
	return out, after
}

func (f *fakeTable) Scan(_ context.Context, in *sdk.ScanInput, _ ...func(*sdk.Options)) (*sdk.ScanOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("Scan", in)
	if err != nil {
		return nil, err
	}
	page, last := f.page(in.ExclusiveStartKey, in.Limit, in.ConsistentRead, func(item) bool { return true }, func(i item) bool {
		return holds(in.FilterExpression, i, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	})
	return &sdk.ScanOutput{Items: page, Count: int32(len(page)), LastEvaluatedKey: last}, after
}

// UpdateItem plays what sets attributes to values, or adds values to them.
func (f *fakeTable) UpdateItem(_ context.Context, in *sdk.UpdateItemInput, _ ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, err := f.begin("UpdateItem", in)
	if err != nil {
		return nil, err
	}
	old := f.items[f.key(in.Key)]
	if !holds(in.ConditionExpression, old, in.ExpressionAttributeNames, in.ExpressionAttributeValues) {
		f.writes += units(sizeOf(old), 1024)
		return nil, cmp.Or(after, error(&types.ConditionalCheckFailedException{Item: old}))
	}
	next := maps.Clone(in.Key)
	maps.Copy(next, old)
	for _, set := range strings.Split(strings.TrimPrefix(*in.UpdateExpression, "SET "), ", ") {
		name, value, _ := strings.Cut(set, " = ")
		name = in.ExpressionAttributeNames[name]
		if _, more, ok := strings.Cut(value, " + "); ok {
			next[name] = sum(old[name], in.ExpressionAttributeValues[more])
			continue
		}
		next[name] = in.ExpressionAttributeValues[value]
	}
	return &sdk.UpdateItemOutput{Attributes: old}, errors.Join(f.put(next), after)
}

// sum panics where one of them is no number: DynamoDB refuses that.
func sum(a, b types.AttributeValue) types.AttributeValue {
	x, xErr := strconv.ParseInt(a.(*types.AttributeValueMemberN).Value, 10, 64)
	y, yErr := strconv.ParseInt(b.(*types.AttributeValueMemberN).Value, 10, 64)
	if xErr != nil || yErr != nil {
		panic(errors.Join(xErr, yErr))
	}
	return number(x + y)
}
