package awsdynamodb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/ledger"
)

// LedgerAPI is what keeping the ledger takes.
type LedgerAPI interface {
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	BatchWriteItem(context.Context, *sdk.BatchWriteItemInput, ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error)
}

// Ledger keeps the heads of the ledger's lanes, and entries until they are
// published, in a table with the partition key lane and the sort key item, both
// strings. A commit is one staged item (more where it has over 350 KB) and one
// write of the head, which has less than 1 KB up to 16 million entries. It may
// be used by many goroutines at once.
type Ledger struct {
	API   LedgerAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of the table's items.
const (
	laneName      = "lane"
	itemName      = "item"
	versionName   = "version"
	sizeName      = "size"
	edgeName      = "edge"
	publishedName = "published"
	arnName       = "source_arn"
	createdName   = "source_created"
	sequenceName  = "sequence"
	startName     = "starts"
	endName       = "ends"
	beforeName    = "before"
	rootName      = "root"
	dataName      = "data"

	headItem     = "head"
	stagedPrefix = "staged#"
)

func ledgerKey(lane, item string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		laneName: &types.AttributeValueMemberS{Value: lane},
		itemName: &types.AttributeValueMemberS{Value: item},
	}
}

// stagedItem sorts by where the run ends.
func stagedItem(s ledger.Staged) string {
	return fmt.Sprintf("%s%020d#%x", stagedPrefix, s.End, s.Root[:])
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Head returns the lane's head by a strongly consistent read, the zero Head for
// a new lane.
func (l *Ledger) Head(ctx context.Context, lane string) (h ledger.Head, err error) {
	out, err := l.API.GetItem(ctx, &sdk.GetItemInput{TableName: &l.Table, Key: ledgerKey(lane, headItem), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return h, fmt.Errorf("read the head of %s from table %s: %w", lane, l.Table, err)
	}
	if len(out.Item) == 0 {
		return h, nil
	}
	r := itemReader{item: out.Item}
	size, edge := r.number(sizeName), r.bytes(edgeName)
	h.Version, h.Published, h.Sequence = r.number(versionName), r.number(publishedName), r.text(sequenceName)
	h.Source = ledger.Source{ARN: r.text(arnName), Created: r.number(createdName)}
	if r.err == nil {
		h.Edge, r.err = ledger.ParseEdge(size, edge)
	}
	if r.err != nil {
		return h, fmt.Errorf("the head of %s in table %s: %w", lane, l.Table, r.err)
	}
	return h, nil
}

// Move replaces the head of version now.Version-1 with now, by one conditional
// write, or is ledger.ErrMoved.
func (l *Ledger) Move(ctx context.Context, lane string, now ledger.Head) error {
	item := ledgerKey(lane, headItem)
	item[sizeName], item[publishedName] = number(now.Size), number(now.Published)
	item[edgeName] = &types.AttributeValueMemberB{Value: now.AppendBytes([]byte{})}
	item[arnName], item[createdName] = &types.AttributeValueMemberS{Value: now.Source.ARN}, number(now.Source.Created)
	item[sequenceName] = &types.AttributeValueMemberS{Value: now.Sequence}
	made, err := conditionHeld(l.API.PutItem(ctx, putNext(l.Table, item, now.Version)))
	if err == nil && !made {
		err = ledger.ErrMoved
	}
	if err != nil {
		return fmt.Errorf("move the head of %s in table %s to version %d: %w", lane, l.Table, now.Version, err)
	}
	return nil
}

// Stage keeps s beside what else is staged.
func (l *Ledger) Stage(ctx context.Context, lane string, s ledger.Staged) error {
	item := ledgerKey(lane, stagedItem(s))
	item[startName], item[endName] = number(s.Start), number(s.End)
	item[beforeName], item[rootName] = &types.AttributeValueMemberB{Value: s.Before[:]}, &types.AttributeValueMemberB{Value: s.Root[:]}
	item[dataName] = &types.AttributeValueMemberB{Value: s.Data}
	if _, err := l.API.PutItem(ctx, &sdk.PutItemInput{TableName: &l.Table, Item: item}); err != nil {
		return fmt.Errorf("stage entries %d to %d of %s in table %s: %w", s.Start, s.End-1, lane, l.Table, err)
	}
	return nil
}

// Staged returns all that is staged in a lane, in order of End, by strongly
// consistent reads.
func (l *Ledger) Staged(ctx context.Context, lane string) (all []ledger.Staged, err error) {
	pages := sdk.NewQueryPaginator(l.API, &sdk.QueryInput{
		TableName: &l.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   aws.String("#l = :l AND begins_with(#i, :i)"),
		ExpressionAttributeNames: map[string]string{"#l": laneName, "#i": itemName},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":l": &types.AttributeValueMemberS{Value: lane}, ":i": &types.AttributeValueMemberS{Value: stagedPrefix}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read what is staged in %s from table %s: %w", lane, l.Table, err)
		}
		for _, item := range page.Items {
			s, err := fromStagedItem(item)
			if err != nil {
				return nil, fmt.Errorf("what is staged in %s in table %s: %w", lane, l.Table, err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

func fromStagedItem(item map[string]types.AttributeValue) (s ledger.Staged, err error) {
	r := itemReader{item: item}
	s.Start, s.End, s.Data = r.number(startName), r.number(endName), r.bytes(dataName)
	s.Before, s.Root = r.hash(beforeName), r.hash(rootName)
	return s, r.err
}

// Drop removes what is staged, as Staged returned it, 25 a request.
func (l *Ledger) Drop(ctx context.Context, lane string, staged []ledger.Staged) error {
	requests := make([]types.WriteRequest, len(staged))
	for i, s := range staged {
		requests[i] = types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: ledgerKey(lane, stagedItem(s))}}
	}
	if err := (batchWriter{l.API, l.Table, l.Wait}).all(ctx, requests); err != nil {
		return fmt.Errorf("drop what was staged in %s: %w", lane, err)
	}
	return nil
}

// itemReader reads attributes, and keeps what is wrong with the first of them:
// ledger.ErrChanged, as nobody of ours writes such an item.
type itemReader struct {
	item map[string]types.AttributeValue
	err  error
}

func (r *itemReader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("an item has no %q of its type: %w", name, ledger.ErrChanged)
	}
}

func (r *itemReader) number(name string) int64 {
	v, ok := r.item[name].(*types.AttributeValueMemberN)
	if !ok {
		r.fail(name)
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		r.fail(name)
	}
	return n
}

func (r *itemReader) text(name string) string {
	v, ok := r.item[name].(*types.AttributeValueMemberS)
	if !ok {
		r.fail(name)
		return ""
	}
	return v.Value
}

func (r *itemReader) bytes(name string) []byte {
	v, ok := r.item[name].(*types.AttributeValueMemberB)
	if !ok {
		r.fail(name)
		return nil
	}
	return v.Value
}

func (r *itemReader) hash(name string) (h ledger.Hash) {
	b := r.bytes(name)
	if len(b) != len(h) {
		r.fail(name)
		return h
	}
	return ledger.Hash(b)
}
