package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/suppression"
)

// SuppressionsAPI is what keeping suppressed addresses takes.
type SuppressionsAPI interface {
	batchGetAPI
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
}

// Suppressions keeps suppressed addresses in the directory's table: an item for each,
// and in the place of one that was lifted when it was. It is as suppression.Store has
// it. All reads are consistent: each address that is looked for costs a read unit,
// whether it is there or not; each change is one conditional write, of one unit.
type Suppressions struct {
	API   SuppressionsAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of an item: the entry as JSON, with its reason's rank and its time for
// the conditions; or else when it was lifted. Times are milliseconds since 1970.
const (
	suppressionKind = "suppression"
	entryName       = "entry"
	sinceName       = "since"
	liftedName      = "lifted"
)

// Suppressed is as suppression.Store has it.
func (s *Suppressions) Suppressed(ctx context.Context, keys []suppression.Key) (map[suppression.Key]suppression.Entry, error) {
	var asked []map[string]types.AttributeValue
	once, found := map[suppression.Key]bool{}, map[suppression.Key]suppression.Entry{}
	for _, key := range keys {
		if !once[key] {
			asked = append(asked, directoryKey(suppressionKind, key.Tenant, key.ID))
		}
		once[key] = true
	}
	items, err := batchReader{s.API, s.Table, true, s.Wait}.all(ctx, asked)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		e, there, err := s.entry(item)
		if err != nil {
			return nil, err
		}
		if there {
			found[e.Key()] = e
		}
	}
	return found, nil
}

// entry reads an item; it is not there where it was lifted.
func (s *Suppressions) entry(item map[string]types.AttributeValue) (e suppression.Entry, there bool, err error) {
	if _, lifted := item[liftedName]; lifted || len(item) == 0 {
		return e, false, nil
	}
	text, ok := item[entryName].(*types.AttributeValueMemberS)
	if !ok {
		return e, false, fmt.Errorf("a suppression in table %s has no text under %q", s.Table, entryName)
	}
	if err := json.Unmarshal([]byte(text.Value), &e); err != nil {
		return e, false, fmt.Errorf("a suppression in table %s can't be read: %w", s.Table, err)
	}
	return e, true, nil
}

// AddSuppression is as suppression.Store has it.
func (s *Suppressions) AddSuppression(ctx context.Context, e suppression.Entry) (bool, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return false, fmt.Errorf("keep the suppression %s: %w", e.ID, err)
	}
	since := e.Since.UnixMilli()
	if e.Reason == suppression.ByHand {
		since = math.MaxInt64 // whatever was lifted, and when
	}
	item := directoryKey(suppressionKind, e.Tenant, e.ID)
	item[entryName] = &types.AttributeValueMemberS{Value: string(text)}
	item[rankName] = number(int64(e.Reason.Rank()))
	item[sinceName] = number(e.Since.UnixMilli())
	_, written, err := s.put(ctx, "keep", e.Key(), &sdk.PutItemInput{
		Item:                      item,
		ConditionExpression:       aws.String("attribute_not_exists(#part) OR #rank < :rank OR #lifted <= :since"),
		ExpressionAttributeNames:  map[string]string{"#part": partName, "#rank": rankName, "#lifted": liftedName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":rank": item[rankName], ":since": number(since)},
	})
	return written, err
}

// LiftSuppression is as suppression.Store has it.
func (s *Suppressions) LiftSuppression(ctx context.Context, l suppression.Lifting) (bool, error) {
	item := directoryKey(suppressionKind, l.Tenant, l.ID)
	item[liftedName] = number(l.At.UnixMilli())
	item[expiresName] = number(l.At.Add(suppression.Retention).Unix())
	in := &sdk.PutItemInput{
		Item:                      item,
		ConditionExpression:       aws.String("attribute_not_exists(#lifted) OR #lifted < :at"),
		ExpressionAttributeNames:  map[string]string{"#lifted": liftedName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":at": item[liftedName]},
		ReturnValues:              types.ReturnValueAllOld,
	}
	if l.Only != "" {
		in.ConditionExpression = aws.String("attribute_not_exists(#part) OR #lifted < :at OR #rank = :rank AND #since <= :at")
		in.ExpressionAttributeNames = map[string]string{"#part": partName, "#rank": rankName, "#lifted": liftedName, "#since": sinceName}
		in.ExpressionAttributeValues[":rank"] = number(int64(l.Only.Rank()))
	}
	was, _, err := s.put(ctx, "lift", l.Key, in)
	if err != nil {
		return false, err
	}
	_, there, err := s.entry(was)
	return there, err
}

// put writes an item if its condition holds, and returns what was there before where
// it is asked for.
func (s *Suppressions) put(ctx context.Context, what string, key suppression.Key, in *sdk.PutItemInput) (
	was map[string]types.AttributeValue, written bool, err error) {
	in.TableName = &s.Table
	out, err := s.API.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &failed):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("%s the suppression %s in table %s: %w", what, key.ID, s.Table, err)
	}
	return out.Attributes, true, nil
}

// listTries is how many requests look for a page, and listAtOnce how many items such a
// one looks at where most may be left out: about 300 KB.
const (
	listTries  = 4
	listAtOnce = 1000
)

// ListSuppressions is as suppression.Store has it.
func (s *Suppressions) ListSuppressions(ctx context.Context, p suppression.Page) (page []suppression.Entry, next string, err error) {
	for range listTries {
		out, err := s.API.Query(ctx, s.query(p))
		if err != nil {
			return nil, "", fmt.Errorf("list the suppressed addresses of the tenant %q in table %s: %w", p.Tenant, s.Table, err)
		}
		for _, item := range out.Items {
			e, there, err := s.entry(item)
			if err != nil {
				return nil, "", err
			}
			if !there || !p.Shows(e) {
				continue
			}
			if page = append(page, e); len(page) == p.Limit {
				return page, e.ID, nil
			}
		}
		last, more := out.LastEvaluatedKey[nameName].(*types.AttributeValueMemberS)
		if !more {
			return page, "", nil
		}
		p.After = last.Value
	}
	return page, p.After, nil
}

// query asks for as many items as may be shown, and for more where it depends on what
// is in them.
func (s *Suppressions) query(p suppression.Page) *sdk.QueryInput {
	limit := p.Limit
	if p.Reason != "" {
		limit = max(limit, listAtOnce)
	}
	in := &sdk.QueryInput{
		TableName: &s.Table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(limit)),
		KeyConditionExpression:   aws.String("#part = :part"),
		ExpressionAttributeNames: map[string]string{"#part": partName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":part": directoryKey(suppressionKind, p.Tenant, "")[partName]},
	}
	if p.Channel != "" {
		in.KeyConditionExpression = aws.String("#part = :part AND begins_with(#name, :channel)")
		in.ExpressionAttributeNames["#name"] = nameName
		in.ExpressionAttributeValues[":channel"] = &types.AttributeValueMemberS{Value: string(p.Channel) + "-"}
	}
	if p.After != "" {
		in.ExclusiveStartKey = directoryKey(suppressionKind, p.Tenant, p.After)
	}
	return in
}
