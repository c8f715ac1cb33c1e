package awsdynamodb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/waiting"
)

// headLimit is how many packed bytes stand in an item's head, and partLimit how
// many in a part: an item of DynamoDB holds 400 KB with its names.
const (
	headLimit = 4 << 10
	partLimit = 390 << 10
)

// partsStay is how much longer parts stay than the head: DynamoDB removes what
// has expired "within a few days" and in no order ("Using time to live (TTL)").
const partsStay = 7 * 24 * time.Hour

// partsPlace is where the parts of what stands at a position are.
func partsPlace(position string) string {
	_, id, _ := strings.Cut(position, "#")
	return "part#" + id
}

// putParts writes what is packed in parts, and returns the head that leads to
// them. They are named by what they hold: another who enters the same item
// writes the same ones, or others, and never what a head that is there leads to.
func (w *Waiting) putParts(ctx context.Context, i waiting.Item, packed []byte) (map[string]types.AttributeValue, error) {
	digest := fmt.Sprintf("%x", sha256.Sum256(packed))[:32]
	n := 0
	for part := range slices.Chunk(packed, partLimit) {
		item := roomKey(partsPlace(i.Position()), fmt.Sprintf("%s#%03d", digest, n))
		item[packedName] = &types.AttributeValueMemberB{Value: part}
		item[expiresName] = number(i.Due.Add(waiting.Retention + partsStay).Unix())
		if _, err := w.API.PutItem(ctx, &sdk.PutItemInput{TableName: &w.Table, Item: item}); err != nil {
			return nil, fmt.Errorf("put part %d of %s into table %s: %w", n, i.ID(), w.Table, err)
		}
		n++
	}
	head := stateItem(i, waiting.Waiting, i.Due.Add(waiting.Retention))
	head[digestName] = &types.AttributeValueMemberS{Value: digest}
	head[partsName] = number(int64(n))
	return head, nil
}

// readParts puts n parts together, by strongly consistent reads.
func (w *Waiting) readParts(ctx context.Context, place, digest string, n int) (packed []byte, err error) {
	pages := sdk.NewQueryPaginator(w.API, &sdk.QueryInput{
		TableName: &w.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   aws.String("#place = :place AND begins_with(#position, :digest)"),
		ExpressionAttributeNames: map[string]string{"#place": placeName, "#position": positionName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":place": &types.AttributeValueMemberS{Value: place}, ":digest": &types.AttributeValueMemberS{Value: digest + "#"}},
	})
	found := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			r := itemReader{item: item}
			packed = append(packed, r.bytes(packedName)...)
			if r.err != nil {
				return nil, r.err
			}
			found++
		}
	}
	if found != n {
		return nil, fmt.Errorf("of its %d parts there are %d", n, found)
	}
	return packed, nil
}
