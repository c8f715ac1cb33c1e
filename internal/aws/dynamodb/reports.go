package awsdynamodb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
)

// A report is an item right behind that of its attempt: one query reads both, and no
// write of the one touches the other.
const (
	reportSuffix = "#report"
	reportName   = "report"
)

// withItem adds what an item is to the records before it: an attempt, or what was
// reported of the last one.
func withItem(records []attempt.Record, item map[string]types.AttributeValue) ([]attempt.Record, error) {
	text, ok := item[reportName].(*types.AttributeValueMemberS)
	if !ok {
		r, err := fromItem(item)
		return append(records, r), err
	}
	key, _ := item[sortKeyName].(*types.AttributeValueMemberS)
	last := len(records) - 1
	if key == nil || last < 0 || records[last].SortKey() != strings.TrimSuffix(key.Value, reportSuffix) {
		return records, nil // the attempt has expired before it
	}
	var rep attempt.Report
	if err := json.Unmarshal([]byte(text.Value), &rep); err != nil {
		return nil, fmt.Errorf("a report's item holds no report: %w", err)
	}
	records[last] = records[last].With(rep)
	return records, nil
}

// PutReport is as attempt.Reports has it, by one conditional write.
func (a *Attempts) PutReport(ctx context.Context, r attempt.Record, rep attempt.Report) error {
	b, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("the report of attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
	}
	item := map[string]types.AttributeValue{
		webhookIDName: &types.AttributeValueMemberS{Value: r.WebhookID},
		sortKeyName:   &types.AttributeValueMemberS{Value: r.SortKey() + reportSuffix},
		reportName:    &types.AttributeValueMemberS{Value: string(b)},
		expiresName:   number(r.At.Add(attempt.Retention).Unix()),
	}
	made, err := conditionHeld(a.API.PutItem(ctx, putNext(a.Table, item, int64(rep.Version))))
	switch {
	case err != nil:
		return fmt.Errorf("write the report of an attempt to table %s: %w", a.Table, err)
	case !made:
		return attempt.ErrReported
	}
	return nil
}

// onwardName is the attribute of a message that may still go on to another channel. Its
// item's partition key has a '#', as no webhook id has.
const onwardName = "message"

func onwardKey(webhookID, sortKey string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		webhookIDName: &types.AttributeValueMemberS{Value: "onward#" + webhookID},
		sortKeyName:   &types.AttributeValueMemberS{Value: sortKey},
	}
}

// KeepOnward is as onward.Store has it.
func (a *Attempts) KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error {
	item := onwardKey(webhookID, sortKey)
	item[onwardName] = &types.AttributeValueMemberB{Value: message}
	item[expiresName] = &types.AttributeValueMemberN{Value: strconv.FormatInt(until.Unix(), 10)}
	if _, err := a.API.PutItem(ctx, &sdk.PutItemInput{TableName: &a.Table, Item: item}); err != nil {
		return fmt.Errorf("keep a message in table %s: %w", a.Table, err)
	}
	return nil
}

// Onward is as onward.Store has it, by a strongly consistent read.
func (a *Attempts) Onward(ctx context.Context, webhookID, sortKey string) ([]byte, error) {
	key := onwardKey(webhookID, sortKey)
	out, err := a.API.Query(ctx, &sdk.QueryInput{
		TableName: &a.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#w = :w AND begins_with(#s, :s)"),
		ExpressionAttributeNames:  map[string]string{"#w": webhookIDName, "#s": sortKeyName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":w": key[webhookIDName], ":s": key[sortKeyName]},
	})
	if err != nil {
		return nil, fmt.Errorf("read a message from table %s: %w", a.Table, err)
	}
	for _, item := range out.Items {
		if kept, ok := item[onwardName].(*types.AttributeValueMemberB); ok {
			return kept.Value, nil
		}
	}
	return nil, nil
}
