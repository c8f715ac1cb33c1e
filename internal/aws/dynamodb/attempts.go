// Package awsdynamodb keeps records in DynamoDB.
package awsdynamodb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
)

// batchLimit is the most items of one BatchWriteItem request.
const batchLimit = 25

// AttemptsAPI is what keeping attempts takes.
type AttemptsAPI interface {
	BatchWriteItem(context.Context, *sdk.BatchWriteItemInput, ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	UpdateItem(context.Context, *sdk.UpdateItemInput, ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error)
}

// Attempts keeps attempt records in a table with the partition key webhook_id
// and the sort key message_attempt, both strings, a TTL on expires_at, and the
// sparse index "failures" with the keys failed_in and failed_at, both strings,
// and record projected. It is as attempt.Store has it; where Put fails, some of
// the records may be kept.
type Attempts struct {
	API   AttemptsAPI
	Table string
	// Wait pauses between tries of items that DynamoDB did not process; it
	// returns early, with the reason, when ctx ends. Nil is the machine's clock.
	Wait func(ctx context.Context, d time.Duration) error
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

// The attributes of an item. The record itself is one JSON string: nothing is
// queried by its fields, and it costs the least space.
const (
	webhookIDName = "webhook_id"
	sortKeyName   = "message_attempt"
	recordName    = "record"
	expiresName   = "expires_at"
)

// Put writes records, 25 a request, and again what DynamoDB left unprocessed. A
// request that has a key twice is refused as a whole ("BatchWriteItem").
func (a *Attempts) Put(ctx context.Context, records []attempt.Record) error {
	records = attempt.Distinct(records)
	for len(records) > 0 {
		n := min(batchLimit, len(records))
		requests := make([]types.WriteRequest, n)
		for i, r := range records[:n] {
			item, err := toItem(r)
			if err != nil {
				return err
			}
			requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
		}
		if err := a.write(ctx, requests); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (a *Attempts) write(ctx context.Context, requests []types.WriteRequest) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		out, err := a.API.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{a.Table: requests}})
		if err != nil {
			return fmt.Errorf("write %d attempts to table %s: %w", len(requests), a.Table, err)
		}
		if requests = out.UnprocessedItems[a.Table]; len(requests) == 0 {
			return nil
		}
		if err := pause(ctx, wait, a.Wait); err != nil {
			return fmt.Errorf("write to table %s: %d attempts are not processed yet: %w", a.Table, len(requests), err)
		}
	}
}

// OfMessage returns the attempts of one SQS message in order, by a strongly
// consistent read.
func (a *Attempts) OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error) {
	return a.query(ctx, &sdk.QueryInput{
		KeyConditionExpression: aws.String("#w = :w AND begins_with(#s, :s)"),
		ExpressionAttributeNames: map[string]string{
			"#w": webhookIDName, "#s": sortKeyName,
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":w": &types.AttributeValueMemberS{Value: webhookID},
			":s": &types.AttributeValueMemberS{Value: attempt.SortKeyPrefix(messageID)},
		},
	})
}

// OfWebhook returns all attempts under a webhook id, message by message.
func (a *Attempts) OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error) {
	return a.query(ctx, &sdk.QueryInput{
		KeyConditionExpression:    aws.String("#w = :w"),
		ExpressionAttributeNames:  map[string]string{"#w": webhookIDName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":w": &types.AttributeValueMemberS{Value: webhookID}},
	})
}

func (a *Attempts) query(ctx context.Context, in *sdk.QueryInput) ([]attempt.Record, error) {
	in.TableName, in.ConsistentRead = &a.Table, aws.Bool(true)
	var records []attempt.Record
	for pages := sdk.NewQueryPaginator(a.API, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read attempts from table %s: %w", a.Table, err)
		}
		for _, item := range page.Items {
			r, err := fromItem(item)
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
	}
	return records, nil
}

func toItem(r attempt.Record) (map[string]types.AttributeValue, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
	}
	item := map[string]types.AttributeValue{
		webhookIDName: &types.AttributeValueMemberS{Value: r.WebhookID},
		sortKeyName:   &types.AttributeValueMemberS{Value: r.SortKey()},
		recordName:    &types.AttributeValueMemberS{Value: string(b)},
		expiresName:   &types.AttributeValueMemberN{Value: strconv.FormatInt(r.At.Add(attempt.Retention).Unix(), 10)},
	}
	indexFailure(item, r)
	return item, nil
}

func fromItem(item map[string]types.AttributeValue) (r attempt.Record, err error) {
	text, ok := item[recordName].(*types.AttributeValueMemberS)
	if !ok {
		return r, fmt.Errorf("an attempts item has no text under %q", recordName)
	}
	if err := json.Unmarshal([]byte(text.Value), &r); err != nil {
		return r, fmt.Errorf("an attempts item holds no record: %w", err)
	}
	return r, nil
}
