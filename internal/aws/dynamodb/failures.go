package awsdynamodb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

// The index of failures is a sparse global secondary index: only failures have
// its keys.
const (
	failuresIndex = "failures"
	failedInName  = "failed_in" // "<queue>#<shard>"
	failedAtName  = "failed_at" // attempt.Record.Position
)

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
	return a.newest(ctx, sharded{failuresIndex, failedInName, failedAtName}, queue, from, before, limit)
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
