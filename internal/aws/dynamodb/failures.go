package awsdynamodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

// The index of failures is a sparse global secondary index: only failures have
// its keys. A queue's failures are spread over shards, since one key of an
// index takes 1,000 writes a second, and an index that is throttled throttles
// its table ("Using Global Secondary Indexes in DynamoDB").
const (
	failuresIndex = "failures"
	failedInName  = "failed_in" // "<queue>#<shard>"
	failedAtName  = "failed_at" // attempt.Record.Position
	shards        = 4
)

func shardKey(queue string, shard uint32) string {
	return queue + "#" + strconv.FormatUint(uint64(shard), 10)
}

func shardOf(messageID string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(messageID))
	return h.Sum32() % shards
}

// indexFailure gives a failure's item the keys of the index.
func indexFailure(item map[string]types.AttributeValue, r attempt.Record) {
	if queue := deadletter.QueueOf(r); queue != "" {
		item[failedInName] = &types.AttributeValueMemberS{Value: shardKey(queue, shardOf(r.MessageID))}
		item[failedAtName] = &types.AttributeValueMemberS{Value: string(r.Position())}
	}
}

// NewestFailures returns up to limit failures of a dead-letter queue, newest
// first, whose Position is less than before, if that is given, and not less
// than from: one query a shard, or more where a page of 1 MB holds too few. They
// come without their Response.
func (a *Attempts) NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error) {
	from, before = cmp.Or(from, " "), cmp.Or(before, "~") // before and after every time
	if !from.Before(before) {
		return nil, nil // BETWEEN refuses it
	}
	var of [shards][]attempt.Record
	g, ctx := errgroup.WithContext(ctx)
	for shard := range of {
		g.Go(func() (err error) {
			of[shard], err = a.failuresOf(ctx, shardKey(queue, uint32(shard)), from, before, limit)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(of[:]...)
	slices.SortFunc(all, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	return all[:min(limit, len(all))], nil
}

func (a *Attempts) failuresOf(ctx context.Context, key string, from, before attempt.Position, limit int) ([]attempt.Record, error) {
	in := &sdk.QueryInput{
		TableName: &a.Table, IndexName: aws.String(failuresIndex), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression:   aws.String("#q = :q AND #at BETWEEN :from AND :before"),
		ExpressionAttributeNames: map[string]string{"#q": failedInName, "#at": failedAtName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":q":    &types.AttributeValueMemberS{Value: key},
			":from": &types.AttributeValueMemberS{Value: string(from)}, ":before": &types.AttributeValueMemberS{Value: string(before)},
		},
	}
	var records []attempt.Record
	for len(records) < limit {
		in.Limit = aws.Int32(int32(limit - len(records) + 1)) // BETWEEN has the bound itself too
		page, err := a.API.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read failures from table %s: %w", a.Table, err)
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

// ForgetFailures takes failures out of the index; the records stay.
func (a *Attempts) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, r := range records {
		g.Go(func() error { return a.forget(ctx, r) })
	}
	return g.Wait()
}

func (a *Attempts) forget(ctx context.Context, r attempt.Record) error {
	_, err := a.API.UpdateItem(ctx, &sdk.UpdateItemInput{
		TableName: &a.Table,
		Key: map[string]types.AttributeValue{
			webhookIDName: &types.AttributeValueMemberS{Value: r.WebhookID},
			sortKeyName:   &types.AttributeValueMemberS{Value: r.SortKey()},
		},
		UpdateExpression: aws.String("REMOVE #q, #at"),
		// An update of an item that has expired would make it anew, empty.
		ConditionExpression:      aws.String("attribute_exists(#w)"),
		ExpressionAttributeNames: map[string]string{"#q": failedInName, "#at": failedAtName, "#w": webhookIDName},
	})
	var gone *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("take a failure out of the index of table %s: %w", a.Table, err)
	}
	return nil
}
