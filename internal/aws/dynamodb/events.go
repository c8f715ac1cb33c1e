package awsdynamodb

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/event"
)

// EventsAPI is what keeping events takes.
type EventsAPI interface {
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
}

// Events keeps what was published, and the keys of the requests that did, in a table of
// its own with the partition key place and the sort key key, both strings, and a TTL on
// expires_at. It is as event.Store and event.Keys have it. To keep an event costs a
// write unit for each KB of it, its body compressed, and as much if it was kept before:
// a write whose condition fails is billed.
type Events struct {
	API   EventsAPI
	Table string
	// Retention is how long a record is kept; 0 is event.Retention.
	Retention time.Duration
}

// The attributes of the table's items. An event's record and a request's key are one
// JSON string each, a record's body is beside it, compressed.
const (
	eventKeyName   = "key"
	eventBodyName  = "body"
	requestKeyName = "request"
	usedAtName     = "used_at" // microseconds since 1970
)

// requestSort is the sort key of a request's key, which has a place of its own. No
// tenant's name begins as that place does.
const requestSort = "request"

func requestPlace(k event.Key) string { return "#request#" + k.Tenant + "#" + k.Name }

func eventKey(place, key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		placeName: &types.AttributeValueMemberS{Value: place}, eventKeyName: &types.AttributeValueMemberS{Value: key},
	}
}

// KeepEvent is as event.Store has it, by one conditional write.
func (s *Events) KeepEvent(ctx context.Context, r event.Record) (recipients []string, err error) {
	item, err := s.eventItem(r)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", r.ID, err)
	}
	_, err = s.API.PutItem(ctx, &sdk.PutItemInput{
		TableName: &s.Table, Item: item,
		ConditionExpression:                 aws.String("attribute_not_exists(#place)"),
		ExpressionAttributeNames:            map[string]string{"#place": placeName},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var there *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return r.Recipients, nil
	case !errors.As(err, &there):
		return nil, fmt.Errorf("keep the event %s in table %s: %w", r.ID, s.Table, err)
	}
	first, err := s.record(there.Item)
	return first.Recipients, err
}

func (s *Events) eventItem(r event.Record) (map[string]types.AttributeValue, error) {
	item := eventKey(r.Place(), r.Key())
	packed, err := packBody(r.Body)
	if err != nil {
		return nil, err
	}
	if r.Body != nil && len(packed) <= event.MaxKept {
		item[eventBodyName] = &types.AttributeValueMemberB{Value: packed}
	}
	r.Body = nil
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	item[recordName] = &types.AttributeValueMemberS{Value: string(text)}
	item[expiresName] = number(r.At.Add(cmp.Or(s.Retention, event.Retention)).Unix())
	return item, nil
}

func packBody(body []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, packLevel)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(body)
	err = errors.Join(err, w.Close())
	return packed.Bytes(), err
}

// EventsOf is as event.Store has it, by consistent reads.
func (s *Events) EventsOf(ctx context.Context, place, after string, limit int) (records []event.Record, next string, err error) {
	in := &sdk.QueryInput{
		TableName: &s.Table, ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(limit)),
		KeyConditionExpression:    aws.String("#place = :place"),
		ExpressionAttributeNames:  map[string]string{"#place": placeName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":place": &types.AttributeValueMemberS{Value: place}},
	}
	if after != "" {
		in.ExclusiveStartKey = eventKey(place, after)
	}
	page, err := s.API.Query(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("read the events of %s from table %s: %w", place, s.Table, err)
	}
	for _, item := range page.Items {
		r, err := s.record(item)
		if err != nil {
			return nil, "", err
		}
		records = append(records, r)
	}
	if last, ok := page.LastEvaluatedKey[eventKeyName].(*types.AttributeValueMemberS); ok {
		next = last.Value
	}
	return records, next, nil
}

// record reads an item.
func (s *Events) record(item map[string]types.AttributeValue) (r event.Record, err error) {
	text, ok := item[recordName].(*types.AttributeValueMemberS)
	if !ok {
		return r, fmt.Errorf("an event in table %s has no text under %q", s.Table, recordName)
	}
	if err := json.Unmarshal([]byte(text.Value), &r); err != nil {
		return event.Record{}, fmt.Errorf("an event in table %s can't be read: %w", s.Table, err)
	}
	if packed, ok := item[eventBodyName].(*types.AttributeValueMemberB); ok {
		if r.Body, err = io.ReadAll(flate.NewReader(bytes.NewReader(packed.Value))); err != nil {
			return event.Record{}, fmt.Errorf("the body of the event %s in table %s can't be read: %w", r.ID, s.Table, err)
		}
	}
	return r, nil
}

// TakeKey is as event.Keys has it, by one conditional write.
func (s *Events) TakeKey(ctx context.Context, k event.Key) (kept event.Key, err error) {
	in, err := s.keyWrite(k)
	if err != nil {
		return kept, err
	}
	in.ConditionExpression = aws.String("attribute_not_exists(#at) OR #at <= :old")
	in.ExpressionAttributeNames = map[string]string{"#at": usedAtName}
	in.ExpressionAttributeValues = map[string]types.AttributeValue{":old": number(k.At.Add(-event.KeyRetention).UnixMicro())}
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err = s.API.PutItem(ctx, in)
	var there *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return k, nil
	case !errors.As(err, &there):
		return kept, fmt.Errorf("keep the key of a request in table %s: %w", s.Table, err)
	}
	text, ok := there.Item[requestKeyName].(*types.AttributeValueMemberS)
	if !ok {
		return kept, fmt.Errorf("the key of a request in table %s has no text under %q", s.Table, requestKeyName)
	}
	if err := json.Unmarshal([]byte(text.Value), &kept); err != nil {
		return event.Key{}, fmt.Errorf("the key of a request in table %s can't be read: %w", s.Table, err)
	}
	return kept, nil
}

// PutKey is as event.Keys has it.
func (s *Events) PutKey(ctx context.Context, k event.Key) error {
	in, err := s.keyWrite(k)
	if err != nil {
		return err
	}
	if _, err := s.API.PutItem(ctx, in); err != nil {
		return fmt.Errorf("keep the key of a request in table %s: %w", s.Table, err)
	}
	return nil
}

func (s *Events) keyWrite(k event.Key) (*sdk.PutItemInput, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("the key of a request: %w", err)
	}
	item := eventKey(requestPlace(k), requestSort)
	item[requestKeyName] = &types.AttributeValueMemberS{Value: string(text)}
	item[usedAtName] = number(k.At.UnixMicro())
	item[expiresName] = number(k.At.Add(event.KeyRetention).Unix())
	return &sdk.PutItemInput{TableName: &s.Table, Item: item}, nil
}
