package awsdynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/recipient"
)

// RecipientsAPI is what keeping recipients takes.
type RecipientsAPI interface {
	batchGetAPI
	DeleteItem(context.Context, *sdk.DeleteItemInput, ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
}

// Recipients keeps recipients in the directory's table, an item each: one JSON string,
// and its version. It is as recipient.Store has it. All reads are consistent: a recipient
// costs a read unit for each 4 KB, and one that is not there costs one; a write is one
// conditional request.
type Recipients struct {
	API   RecipientsAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

const recipientKind = "recipient" // of items, and the attribute of the JSON

// Recipients is as recipient.Store has it.
func (s *Recipients) Recipients(ctx context.Context, keys []recipient.Key) ([]recipient.Recipient, error) {
	once := map[recipient.Key]bool{}
	var asked []map[string]types.AttributeValue
	for _, k := range keys {
		if !once[k] {
			asked = append(asked, directoryKey(recipientKind, k.Tenant, k.ID))
		}
		once[k] = true
	}
	items, err := batchReader{s.API, s.Table, true, s.Wait}.all(ctx, asked)
	if err != nil {
		return nil, err
	}
	return s.all(items)
}

func (s *Recipients) all(items []map[string]types.AttributeValue) (all []recipient.Recipient, err error) {
	for _, item := range items {
		text, ok := item[recipientKind].(*types.AttributeValueMemberS)
		if !ok {
			return nil, fmt.Errorf("a recipient in table %s has no text under %q", s.Table, recipientKind)
		}
		var r recipient.Recipient
		if err := json.Unmarshal([]byte(text.Value), &r); err != nil {
			return nil, fmt.Errorf("a recipient in table %s can't be read: %w", s.Table, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// PutRecipient is as recipient.Store has it.
func (s *Recipients) PutRecipient(ctx context.Context, r recipient.Recipient, was int64) error {
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("keep a recipient: %w", err)
	}
	item := directoryKey(recipientKind, r.Tenant, r.ID)
	item[recipientKind] = &types.AttributeValueMemberS{Value: string(text)}
	made, err := conditionHeld(s.API.PutItem(ctx, putAfter(s.Table, item, r.Version, was)))
	return s.said("keep", made, err)
}

// DeleteRecipient is as recipient.Store has it.
func (s *Recipients) DeleteRecipient(ctx context.Context, key recipient.Key, version int64) error {
	made, err := conditionHeld(s.API.DeleteItem(ctx, &sdk.DeleteItemInput{
		TableName: &s.Table, Key: directoryKey(recipientKind, key.Tenant, key.ID),
		ConditionExpression:       aws.String("#version = :was"),
		ExpressionAttributeNames:  map[string]string{"#version": versionName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":was": number(version)},
	}))
	return s.said("remove", made, err)
}

func (s *Recipients) said(what string, made bool, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s a recipient in table %s: %w", what, s.Table, err)
	case !made:
		return recipient.ErrChanged
	}
	return nil
}

// ListRecipients is as recipient.Store has it.
func (s *Recipients) ListRecipients(ctx context.Context, tenant, after string, limit int) (all []recipient.Recipient, err error) {
	part := directoryKey(recipientKind, tenant, after)
	in := &sdk.QueryInput{
		TableName: &s.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#part = :part"),
		ExpressionAttributeNames:  map[string]string{"#part": partName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":part": part[partName]},
	}
	if after != "" {
		in.ExclusiveStartKey = part
	}
	for len(all) < limit {
		in.Limit = aws.Int32(int32(limit - len(all)))
		out, err := s.API.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list recipients in table %s: %w", s.Table, err)
		}
		some, err := s.all(out.Items)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			break
		}
	}
	return all, nil
}
