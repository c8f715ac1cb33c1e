package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/waiting"
)

// WaitingAPI is what keeping the waiting room takes; Enter is PutItem alone.
type WaitingAPI interface {
	batchAPI
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	DeleteItem(context.Context, *sdk.DeleteItemInput, ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	Scan(context.Context, *sdk.ScanInput, ...func(*sdk.Options)) (*sdk.ScanOutput, error)
}

// Waiting keeps the waiting room in a table of its own with the partition key
// place and the sort key position, both strings, and a TTL on expires_at. It is
// as waiting.Store has it. To enter costs a write unit a KB of the packed item,
// and one at least; to settle costs as much again, so that what is packed to
// more than headLimit stands in items of its own: then to settle costs one.
type Waiting struct {
	API   WaitingAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
	// Now says when something was settled. Nil is the machine's clock.
	Now func() time.Time
}

// Enter is as waiting.Store has it, by one conditional write of the item's head.
func (w *Waiting) Enter(ctx context.Context, item waiting.Item) (waiting.State, error) {
	head, err := w.head(ctx, item)
	if err != nil {
		return "", err
	}
	_, err = w.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &w.Table, Item: head,
		ConditionExpression:                 aws.String("attribute_not_exists(#place)"),
		ExpressionAttributeNames:            map[string]string{"#place": placeName},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var there *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return item.State, nil
	case !errors.As(err, &there):
		return "", fmt.Errorf("put %s into table %s: %w", item.ID(), w.Table, err)
	}
	state, ok := there.Item[stateName].(*types.AttributeValueMemberS)
	if !ok {
		return "", fmt.Errorf("what is there of %s in table %s has no text under %q", item.ID(), w.Table, stateName)
	}
	return waiting.State(state.Value), nil
}

// head is what stands in the item's place. What has no room in it is written.
func (w *Waiting) head(ctx context.Context, item waiting.Item) (map[string]types.AttributeValue, error) {
	if item.State != waiting.Waiting {
		return settledItem(item, item.State, w.now())
	}
	packed, err := pack(item)
	if err != nil {
		return nil, err
	}
	if len(packed) <= headLimit {
		return packedItem(item, packed), nil
	}
	return w.putParts(ctx, item, packed)
}

func (w *Waiting) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

// In returns what waits in a place, by strongly consistent reads. What was settled
// from that position on is read too, and paid for.
func (w *Waiting) In(ctx context.Context, place waiting.Place, from string, limit int) ([]waiting.Item, error) {
	in := w.waits(place)
	in.ConsistentRead, in.Limit = aws.Bool(true), aws.Int32(int32(limit)) // of all that are looked at, whether they wait or not
	if from != "" {
		in.KeyConditionExpression = aws.String("#place = :place AND #position >= :from")
		in.ExpressionAttributeNames["#position"] = positionName
		in.ExpressionAttributeValues[":from"] = &types.AttributeValueMemberS{Value: from}
	}
	var found []map[string]types.AttributeValue
	for settled := 0; len(found) < limit; {
		page, err := w.API.Query(ctx, in)
		if err != nil {
			return nil, w.unreadable(place, err)
		}
		found = append(found, page.Items...)
		if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			break
		}
		// A page of what was settled is followed by one that is as large as all of
		// these: no more than that is read beyond what is looked for.
		more := limit - len(found)
		if len(page.Items) == 0 {
			settled += int(*in.Limit)
			more = max(more, settled)
		}
		in.Limit = aws.Int32(int32(more))
	}
	return w.items(ctx, found[:min(limit, len(found))])
}

// Any asks for no more than whether there are some, at half the price of In.
func (w *Waiting) Any(ctx context.Context, place waiting.Place) (bool, error) {
	in := w.waits(place)
	in.Select, in.Limit = types.SelectCount, aws.Int32(10)
	for {
		page, err := w.API.Query(ctx, in)
		if err != nil {
			return false, w.unreadable(place, err)
		}
		if page.Count > 0 {
			return true, nil
		}
		if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return false, nil
		}
		in.Limit = nil // most of what is there was settled
	}
}

// countPages is how many pages, of 1 MB at most, Count looks at.
const countPages = 8

// Count costs half a read unit for 4 KB of what it looks at, settled or not.
func (w *Waiting) Count(ctx context.Context, place waiting.Place, limit int) (n int, more bool, err error) {
	in := w.waits(place)
	in.Select = types.SelectCount
	for range countPages {
		page, err := w.API.Query(ctx, in)
		if err != nil {
			return 0, false, w.unreadable(place, err)
		}
		n += int(page.Count)
		in.ExclusiveStartKey = page.LastEvaluatedKey
		if more = len(in.ExclusiveStartKey) > 0; !more || n > limit {
			break
		}
	}
	return min(n, limit), more || n > limit, nil
}

// waits asks for those of a place that wait, in order.
func (w *Waiting) waits(place waiting.Place) *sdk.QueryInput {
	return &sdk.QueryInput{
		TableName:                &w.Table,
		KeyConditionExpression:   aws.String("#place = :place"),
		FilterExpression:         aws.String("#state = :waiting"),
		ExpressionAttributeNames: map[string]string{"#place": placeName, "#state": stateName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":place":   &types.AttributeValueMemberS{Value: string(place)},
			":waiting": &types.AttributeValueMemberS{Value: string(waiting.Waiting)},
		},
	}
}

func (w *Waiting) unreadable(place waiting.Place, err error) error {
	return fmt.Errorf("read what waits in %s from table %s: %w", place, w.Table, err)
}

// Settle is as waiting.Store has it, 25 items a request.
func (w *Waiting) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	var requests []types.WriteRequest
	seen := map[string]bool{} // DynamoDB refuses an item that comes twice
	for _, i := range items {
		if seen[i.Position()] { // the place follows from it
			continue
		}
		seen[i.Position()] = true
		item, err := settledItem(i, as, w.now())
		if err != nil {
			return err
		}
		requests = append(requests, putRequest(item))
	}
	return batchWriter{w.API, w.Table, w.Wait}.all(ctx, requests)
}

// scanned is how many items a Page looks at, at least: about as many as
// DynamoDB reads at a time, 1 MB.
const scanned = 1000

// Page is as waiting.Store has it, by a scan. Errors: waiting.ErrCursor.
func (w *Waiting) Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	place, position, err := waiting.ParseCursor(from)
	if err != nil {
		return nil, "", err
	}
	in := &sdk.ScanInput{
		TableName: &w.Table, Limit: aws.Int32(int32(max(limit, scanned))),
		FilterExpression:         aws.String("#state = :waiting"),
		ExpressionAttributeNames: map[string]string{"#state": stateName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":waiting": &types.AttributeValueMemberS{Value: string(waiting.Waiting)}},
	}
	if from != "" {
		in.ExclusiveStartKey = roomKey(string(place), position)
	}
	page, err := w.API.Scan(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("read what waits from table %s: %w", w.Table, err)
	}
	found, last := page.Items, page.LastEvaluatedKey
	if len(found) > limit {
		found, last = found[:limit], found[limit-1]
	}
	if len(last) > 0 {
		r := itemReader{item: last}
		next = waiting.Cursor(waiting.Place(r.text(placeName)), r.text(positionName))
	}
	items, err = w.items(ctx, found)
	return items, next, err
}
