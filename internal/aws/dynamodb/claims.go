package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/claim"
)

// ClaimsAPI is what keeping claims takes.
type ClaimsAPI interface {
	batchGetAPI
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	DeleteItem(context.Context, *sdk.DeleteItemInput, ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error)
}

// Claims keeps who acts on what, in the table of Attempts: a webhook id can't
// hold the '#' that a claim's partition key has. It is as claim.Store has it.
type Claims struct {
	API   ClaimsAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of a claim: itself as JSON, and what conditions ask for.
const (
	claimName   = "claim"
	tokenName   = "token"
	untilName   = "until" // microseconds since 1970
	settledName = "settled"
)

func claimKey(queue, itemID string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		webhookIDName: &types.AttributeValueMemberS{Value: "claim#" + queue + "#" + itemID},
		sortKeyName:   &types.AttributeValueMemberS{Value: claimName},
	}
}

func claimItem(c claim.Claim) (map[string]types.AttributeValue, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("claim on item %s of %s: %w", c.ItemID, c.Queue, err)
	}
	item := claimKey(c.Queue, c.ItemID)
	item[claimName] = &types.AttributeValueMemberS{Value: string(b)}
	item[tokenName] = &types.AttributeValueMemberS{Value: c.Token}
	item[untilName] = micros(c.Until)
	item[settledName] = &types.AttributeValueMemberBOOL{Value: c.Settled}
	item[expiresName] = &types.AttributeValueMemberN{Value: strconv.FormatInt(c.At.Add(claim.Retention).Unix(), 10)}
	return item, nil
}

func micros(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMicro(), 10)}
}

// TakeClaim is as claim.Store has it, by one conditional write.
func (s *Claims) TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error) {
	item, err := claimItem(c)
	if err != nil {
		return other, err
	}
	_, err = s.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &s.Table, Item: item,
		// As claim.Claim.Blocks has it.
		ConditionExpression:      aws.String("attribute_not_exists(#token) OR (#settled = :no AND (#token = :token OR #until <= :now))"),
		ExpressionAttributeNames: map[string]string{"#token": tokenName, "#settled": settledName, "#until": untilName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":token": &types.AttributeValueMemberS{Value: c.Token}, ":no": &types.AttributeValueMemberBOOL{}, ":now": micros(c.At),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var held *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return other, nil
	case !errors.As(err, &held):
		return other, fmt.Errorf("claim item %s of %s in table %s: %w", c.ItemID, c.Queue, s.Table, err)
	}
	if other, err = fromClaimItem(held.Item); err != nil {
		return other, err
	}
	return other, fmt.Errorf("item %s of %s: %w", c.ItemID, c.Queue, claim.ErrTaken)
}

// PutClaim keeps c instead of any other claim on its item.
func (s *Claims) PutClaim(ctx context.Context, c claim.Claim) error {
	item, err := claimItem(c)
	if err != nil {
		return err
	}
	if _, err := s.API.PutItem(ctx, &sdk.PutItemInput{TableName: &s.Table, Item: item}); err != nil {
		return fmt.Errorf("keep the claim on item %s of %s in table %s: %w", c.ItemID, c.Queue, s.Table, err)
	}
	return nil
}

// DropClaim is as claim.Store has it.
func (s *Claims) DropClaim(ctx context.Context, c claim.Claim) error {
	_, err := s.API.DeleteItem(ctx, &sdk.DeleteItemInput{
		TableName: &s.Table, Key: claimKey(c.Queue, c.ItemID),
		ConditionExpression:      aws.String("#token = :token AND #settled = :no"),
		ExpressionAttributeNames: map[string]string{"#token": tokenName, "#settled": settledName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":token": &types.AttributeValueMemberS{Value: c.Token}, ":no": &types.AttributeValueMemberBOOL{},
		},
	})
	var other *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &other) {
		return fmt.Errorf("drop the claim on item %s of %s in table %s: %w", c.ItemID, c.Queue, s.Table, err)
	}
	return nil
}

// ClaimsOn returns the claims on these items, once each, by strongly
// consistent reads.
func (s *Claims) ClaimsOn(ctx context.Context, queue string, itemIDs []string) (claims []claim.Claim, err error) {
	var keys []map[string]types.AttributeValue
	for _, id := range slices.Compact(slices.Sorted(slices.Values(itemIDs))) { // BatchGetItem refuses a key that comes twice
		keys = append(keys, claimKey(queue, id))
	}
	items, err := batchReader{s.API, s.Table, true, s.Wait}.all(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		c, err := fromClaimItem(item)
		if err != nil {
			return nil, err
		}
		claims = append(claims, c)
	}
	return claims, nil
}

func fromClaimItem(item map[string]types.AttributeValue) (c claim.Claim, err error) {
	text, ok := item[claimName].(*types.AttributeValueMemberS)
	if !ok {
		return c, fmt.Errorf("a claim's item has no text under %q", claimName)
	}
	if err := json.Unmarshal([]byte(text.Value), &c); err != nil {
		return c, fmt.Errorf("a claim's item holds no claim: %w", err)
	}
	return c, nil
}
