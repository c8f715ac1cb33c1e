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

// A lease, and how far the room was swept, are items in places of their own,
// which have no state and so are never taken for what waits.
const (
	holderName = "holder"
	minuteName = "minute" // as until in nanoseconds since 1970
	leaseEnd   = "lease"
	sweptPlace = "swept"
)

func leaseKey(place waiting.Place) map[string]types.AttributeValue {
	return roomKey("lease#"+string(place), leaseEnd)
}

// Lease is as waiting.Store has it, by one conditional write.
func (w *Waiting) Lease(ctx context.Context, place waiting.Place, holder string, now, until time.Time) (bool, error) {
	item := leaseKey(place)
	item[holderName] = &types.AttributeValueMemberS{Value: holder}
	item[untilName] = number(until.UnixNano())
	item[expiresName] = number(until.Add(time.Hour).Unix())
	ok, err := conditionHeld(w.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &w.Table, Item: item,
		ConditionExpression:      aws.String("attribute_not_exists(#holder) OR #holder = :holder OR #until <= :now"),
		ExpressionAttributeNames: map[string]string{"#holder": holderName, "#until": untilName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":holder": item[holderName], ":now": number(now.UnixNano())},
	}))
	if err != nil {
		return false, fmt.Errorf("lease %s in table %s: %w", place, w.Table, err)
	}
	return ok, nil
}

// Unlease is as waiting.Store has it.
func (w *Waiting) Unlease(ctx context.Context, place waiting.Place, holder string) error {
	_, err := conditionHeld(w.API.DeleteItem(ctx, &sdk.DeleteItemInput{
		TableName: &w.Table, Key: leaseKey(place),
		ConditionExpression:       aws.String("#holder = :holder"),
		ExpressionAttributeNames:  map[string]string{"#holder": holderName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":holder": &types.AttributeValueMemberS{Value: holder}},
	}))
	if err != nil {
		return fmt.Errorf("give the lease of %s back in table %s: %w", place, w.Table, err)
	}
	return nil
}

// Swept is as waiting.Store has it, by a strongly consistent read.
func (w *Waiting) Swept(ctx context.Context) (time.Time, error) {
	out, err := w.API.GetItem(ctx, &sdk.GetItemInput{
		TableName: &w.Table, Key: roomKey(sweptPlace, sweptPlace), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return time.Time{}, fmt.Errorf("read what was swept from table %s: %w", w.Table, err)
	}
	if len(out.Item) == 0 {
		return time.Time{}, nil
	}
	r := itemReader{item: out.Item}
	minute := time.Unix(0, r.number(minuteName)).UTC()
	if r.err != nil {
		return time.Time{}, fmt.Errorf("what was swept, in table %s: %w", w.Table, r.err)
	}
	return minute, nil
}

// Sweep is as waiting.Store has it, by one conditional write.
func (w *Waiting) Sweep(ctx context.Context, minute time.Time) error {
	item := roomKey(sweptPlace, sweptPlace)
	item[minuteName] = number(minute.UnixNano())
	_, err := conditionHeld(w.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &w.Table, Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(#minute) OR #minute < :minute"),
		ExpressionAttributeNames:  map[string]string{"#minute": minuteName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":minute": item[minuteName]},
	}))
	if err != nil {
		return fmt.Errorf("say in table %s what was swept: %w", w.Table, err)
	}
	return nil
}

// conditionHeld tells a write whose condition did not hold from one that failed.
func conditionHeld[Output any](_ Output, err error) (bool, error) {
	var not *types.ConditionalCheckFailedException
	if errors.As(err, &not) {
		return false, nil
	}
	return err == nil, err
}
