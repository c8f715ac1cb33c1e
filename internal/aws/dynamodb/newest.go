package awsdynamodb

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/attempt"
)

// sharded is a sparse global secondary index of attempts, newest last. What has one
// name is spread over shards, since one key of an index takes 1,000 writes a second,
// and an index that is throttled throttles its table ("Using Global Secondary Indexes
// in DynamoDB").
type sharded struct {
	index string
	// in is the attribute with name and shard, at the one with the record's Position.
	in, at string
}

const shards = 4

func shardKey(name string, shard uint32) string {
	return name + "#" + strconv.FormatUint(uint64(shard), 10)
}

func shardOf(messageID string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(messageID))
	return h.Sum32() % shards
}

// newest returns up to limit records under a name, newest first, by one query a shard,
// or more where a page of 1 MB holds too few.
func (a *Attempts) newest(ctx context.Context, of sharded, name string, from, before attempt.Position, limit int) (
	[]attempt.Record, error) {
	from, before = cmp.Or(from, " "), cmp.Or(before, "~") // before and after every time
	if !from.Before(before) {
		return nil, nil // BETWEEN refuses it
	}
	var found [shards][]attempt.Record
	g, ctx := errgroup.WithContext(ctx)
	for shard := range found {
		g.Go(func() (err error) {
			found[shard], err = a.newestIn(ctx, of, shardKey(name, uint32(shard)), from, before, limit)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(found[:]...)
	slices.SortFunc(all, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	return all[:min(limit, len(all))], nil
}

func (a *Attempts) newestIn(ctx context.Context, of sharded, key string, from, before attempt.Position, limit int) (
	[]attempt.Record, error) {
	in := &sdk.QueryInput{
		TableName: &a.Table, IndexName: &of.index, ScanIndexForward: aws.Bool(false),
		KeyConditionExpression:   aws.String("#in = :in AND #at BETWEEN :from AND :before"),
		ExpressionAttributeNames: map[string]string{"#in": of.in, "#at": of.at},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":in":   &types.AttributeValueMemberS{Value: key},
			":from": &types.AttributeValueMemberS{Value: string(from)}, ":before": &types.AttributeValueMemberS{Value: string(before)},
		},
	}
	var records []attempt.Record
	for len(records) < limit {
		in.Limit = aws.Int32(int32(limit - len(records) + 1)) // BETWEEN has the bound itself too
		page, err := a.API.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read the index %s of table %s: %w", of.index, a.Table, err)
		}
		for _, item := range page.Items {
			r, err := fromItem(item)
			if err != nil {
				return nil, err
			}
			r.Response = "" // which items from before have
			if r.Position().Before(before) {
				records = append(records, r)
			}
		}
		if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			break
		}
	}
	return records[:min(limit, len(records))], nil
}

// The index of attempts at registered endpoints: only those have its keys. An attempt
// that is in it costs a write unit more.
const (
	ofEndpointsIndex = "endpoints"
	sentToName       = "sent_to" // "<endpoint's id>#<shard>"
	sentAtName       = "sent_at" // attempt.Record.Position
)

// indexEndpoint gives an attempt at a registered endpoint the keys of the index.
func indexEndpoint(item map[string]types.AttributeValue, r attempt.Record) {
	if r.Endpoint != "" {
		item[sentToName] = &types.AttributeValueMemberS{Value: shardKey(r.Endpoint, shardOf(r.MessageID))}
		item[sentAtName] = &types.AttributeValueMemberS{Value: string(r.Position())}
	}
}

// NewestOfEndpoint is as attempt.OfEndpoints has it. They come without their Response.
func (a *Attempts) NewestOfEndpoint(ctx context.Context, endpoint string, from, before attempt.Position, limit int) (
	[]attempt.Record, error) {
	return a.newest(ctx, sharded{ofEndpointsIndex, sentToName, sentAtName}, endpoint, from, before, limit)
}
