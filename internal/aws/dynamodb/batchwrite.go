package awsdynamodb

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// batchLimit is the most items of one BatchWriteItem request.
const batchLimit = 25

// atOnce is how many requests of one item each are under way at a time: as many
// connections as the SDK keeps open to one host.
const atOnce = 10

type batchAPI interface {
	BatchWriteItem(context.Context, *sdk.BatchWriteItemInput, ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error)
}

// batchWriter writes to a table, whatever is there. Wait is as Attempts has it.
type batchWriter struct {
	API   batchAPI
	Table string
	Wait  func(ctx context.Context, d time.Duration) error
}

// all makes the requests, 25 at a time, and again what DynamoDB left
// unprocessed. No two may be of one item: that is refused ("BatchWriteItem").
func (w batchWriter) all(ctx context.Context, requests []types.WriteRequest) error {
	for len(requests) > 0 {
		n := min(batchLimit, len(requests))
		if err := w.some(ctx, requests[:n:n]); err != nil {
			return err
		}
		requests = requests[n:]
	}
	return nil
}

func (w batchWriter) some(ctx context.Context, requests []types.WriteRequest) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		out, err := w.API.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{w.Table: requests}})
		if err != nil {
			return fmt.Errorf("write %d items to table %s: %w", len(requests), w.Table, err)
		}
		if requests = out.UnprocessedItems[w.Table]; len(requests) == 0 {
			return nil
		}
		if err := pause(ctx, wait, w.Wait); err != nil {
			return fmt.Errorf("write to table %s: %d items are not processed yet: %w", w.Table, len(requests), err)
		}
	}
}

// pause waits for d: by wait, if that is not nil.
func pause(ctx context.Context, d time.Duration, wait func(context.Context, time.Duration) error) error {
	if wait != nil {
		return wait(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func putRequest(item map[string]types.AttributeValue) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
}
