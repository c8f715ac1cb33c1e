package awsdynamodb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// readLimit is the most items of one BatchGetItem request.
const readLimit = 100

type batchGetAPI interface {
	BatchGetItem(context.Context, *sdk.BatchGetItemInput, ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error)
}

// batchReader reads items of a table. Wait is as Attempts has it.
type batchReader struct {
	API        batchGetAPI
	Table      string
	Consistent bool
	Wait       func(ctx context.Context, d time.Duration) error
}

// all reads the items of these keys that there are, 100 a request, and again
// what DynamoDB left unprocessed. No key may come twice: that is refused
// ("BatchGetItem").
func (r batchReader) all(ctx context.Context, keys []map[string]types.AttributeValue) (items []map[string]types.AttributeValue,
	err error) {
	for some := range slices.Chunk(keys, readLimit) {
		found, err := r.some(ctx, some)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

func (r batchReader) some(ctx context.Context, keys []map[string]types.AttributeValue) (items []map[string]types.AttributeValue,
	err error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		out, err := r.API.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			r.Table: {Keys: keys, ConsistentRead: aws.Bool(r.Consistent)},
		}})
		if err != nil {
			return nil, fmt.Errorf("read %d items from table %s: %w", len(keys), r.Table, err)
		}
		items = append(items, out.Responses[r.Table]...)
		if keys = out.UnprocessedKeys[r.Table].Keys; len(keys) == 0 {
			return items, nil
		}
		if err := pause(ctx, wait, r.Wait); err != nil {
			return nil, fmt.Errorf("read from table %s: %d items are not processed yet: %w", r.Table, len(keys), err)
		}
	}
}
