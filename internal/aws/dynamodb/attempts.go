// Package awsdynamodb keeps records in DynamoDB.
package awsdynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/attempt"
)

// AttemptsAPI is what keeping attempts takes.
type AttemptsAPI interface {
	BatchWriteItem(context.Context, *sdk.BatchWriteItemInput, ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	UpdateItem(context.Context, *sdk.UpdateItemInput, ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error)
}

// Attempts keeps attempt records in a table with the partition key webhook_id
// and the sort key message_attempt, both strings, a TTL on expires_at, and the
// sparse index "failures" with the keys failed_in and failed_at, both strings,
// and record projected. It is as attempt.Store has it.
type Attempts struct {
	API   AttemptsAPI
	Table string
	// Wait pauses between tries of items that DynamoDB did not process; it
	// returns early, with the reason, when ctx ends. Nil is the machine's clock.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of an item. The record itself is one JSON string: nothing is
// queried by its fields, and it costs the least space. Its response stands
// beside it, so that the index of failures, into which all of record is copied,
// is spared it.
const (
	webhookIDName = "webhook_id"
	sortKeyName   = "message_attempt"
	recordName    = "record"
	responseName  = "response"
	rankName      = "rank" // attempt.Verdict.Rank
	expiresName   = "expires_at"
)

// Put writes delivered records 25 a request: nothing settles more than they do.
// Of all others it asks, each by a request of its own, that what is there does
// not.
func (a *Attempts) Put(ctx context.Context, records []attempt.Record) error {
	var delivered []types.WriteRequest
	var others []map[string]types.AttributeValue
	for _, r := range attempt.Distinct(records) {
		item, err := toItem(r)
		switch {
		case err != nil:
			return err
		case r.Verdict == attempt.Delivered:
			delivered = append(delivered, putRequest(item))
		default:
			others = append(others, item)
		}
	}
	var all errgroup.Group // where one fails the others are kept all the same
	all.SetLimit(atOnce)
	all.Go(func() error { return batchWriter{a.API, a.Table, a.Wait}.all(ctx, delivered) })
	for _, item := range others {
		all.Go(func() error { return a.putUnlessSettled(ctx, item) })
	}
	return all.Wait()
}

// putUnlessSettled writes an item unless one is there that settles more. Items
// from before there were ranks are replaced.
func (a *Attempts) putUnlessSettled(ctx context.Context, item map[string]types.AttributeValue) error {
	_, err := conditionHeld(a.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &a.Table, Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(#rank) OR #rank <= :rank"),
		ExpressionAttributeNames:  map[string]string{"#rank": rankName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":rank": item[rankName]},
	}))
	if err != nil {
		return fmt.Errorf("write an attempt to table %s: %w", a.Table, err)
	}
	return nil
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
			if records, err = withItem(records, item); err != nil {
				return nil, err
			}
		}
	}
	return records, nil
}

func toItem(r attempt.Record) (map[string]types.AttributeValue, error) {
	response := r.Response
	r = r.Own()
	r.Response = ""
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
	}
	item := map[string]types.AttributeValue{
		webhookIDName: &types.AttributeValueMemberS{Value: r.WebhookID},
		sortKeyName:   &types.AttributeValueMemberS{Value: r.SortKey()},
		recordName:    &types.AttributeValueMemberS{Value: string(b)},
		rankName:      number(int64(r.Verdict.Rank())),
		expiresName:   number(r.At.Add(attempt.Retention).Unix()),
	}
	if response != "" {
		item[responseName] = &types.AttributeValueMemberS{Value: response}
	}
	indexFailure(item, r)
	indexEndpoint(item, r)
	return item, nil
}

// fromItem reads an item, or what the index has of one. Where it has no response
// of its own it may be from before there was one: then the record has it.
func fromItem(item map[string]types.AttributeValue) (r attempt.Record, err error) {
	text, ok := item[recordName].(*types.AttributeValueMemberS)
	if !ok {
		return r, fmt.Errorf("an attempts item has no text under %q", recordName)
	}
	if err := json.Unmarshal([]byte(text.Value), &r); err != nil {
		return r, fmt.Errorf("an attempts item holds no record: %w", err)
	}
	if response, ok := item[responseName].(*types.AttributeValueMemberS); ok {
		r.Response = response.Value
	}
	return r, nil
}
