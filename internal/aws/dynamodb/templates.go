package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/template"
)

// TemplatesAPI is what keeping templates takes.
type TemplatesAPI interface {
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	DeleteItem(context.Context, *sdk.DeleteItemInput, ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error)
	TransactWriteItems(context.Context, *sdk.TransactWriteItemsInput, ...func(*sdk.Options)) (*sdk.TransactWriteItemsOutput, error)
}

// Templates keeps templates in the directory's table: an item for each head, and one
// for each version. It is as template.Store has it. All reads are consistent. A read
// costs a read unit for each 4 KB, a write two write units for each KB of the head and
// of the version.
type Templates struct {
	API   TemplatesAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of the items, each with one JSON string. A head has its revision for
// the condition. The source of a version's part stands beside the version, as it is:
// JSON would make it twice as long, or more.
const (
	templateKind        = "template"
	templateHeadName    = "head"
	templateVersionName = "version"
	revisionName        = "revision"
	sourceName          = "source_" // and the part
)

func headKey(tenant, name string) map[string]types.AttributeValue {
	return directoryKey(templateKind, tenant, templateHeadName+"#"+name)
}

func templateKey(tenant, name string, version int64) map[string]types.AttributeValue {
	return directoryKey(templateKind, tenant, fmt.Sprintf("%s#%s#%09d", templateVersionName, name, version))
}

// TemplateHead is as template.Store has it.
func (s *Templates) TemplateHead(ctx context.Context, tenant, name string) (h template.Head, err error) {
	_, err = s.read(ctx, headKey(tenant, name), templateHeadName, name, &h)
	return h, err
}

// Template is as template.Store has it.
func (s *Templates) Template(ctx context.Context, tenant, name string, version int64) (t template.Template, err error) {
	item, err := s.read(ctx, templateKey(tenant, name, version), templateVersionName, name, &t)
	for _, part := range template.Parts {
		if source, ok := item[sourceName+string(part)].(*types.AttributeValueMemberS); ok {
			if t.Parts == nil {
				t.Parts = map[template.Part]string{}
			}
			t.Parts[part] = source.Value
		}
	}
	return t, err
}

func (s *Templates) read(ctx context.Context, key map[string]types.AttributeValue, attribute, name string, into any) (
	map[string]types.AttributeValue, error) {
	out, err := s.API.GetItem(ctx, &sdk.GetItemInput{TableName: &s.Table, Key: key, ConsistentRead: aws.Bool(true)})
	if err == nil && len(out.Item) == 0 {
		err = template.ErrNotFound
	}
	if err == nil {
		err = unmarshalText(out.Item, attribute, into)
	}
	if err != nil {
		return nil, fmt.Errorf("read the template %s from table %s: %w", name, s.Table, err)
	}
	return out.Item, nil
}

func unmarshalText(item map[string]types.AttributeValue, attribute string, into any) error {
	text, ok := item[attribute].(*types.AttributeValueMemberS)
	if !ok {
		return fmt.Errorf("the item has no text under %q", attribute)
	}
	return json.Unmarshal([]byte(text.Value), into)
}

// TemplateHeads is as template.Store has it.
func (s *Templates) TemplateHeads(ctx context.Context, tenant, after string, most int) (all []template.Head, more bool, err error) {
	in := &sdk.QueryInput{
		TableName: &s.Table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   aws.String("#part = :part AND begins_with(#name, :heads)"),
		ExpressionAttributeNames: map[string]string{"#part": partName, "#name": nameName},
		ExpressionAttributeValues: map[string]types.AttributeValue{":part": headKey(tenant, "")[partName],
			":heads": headKey(tenant, "")[nameName]},
	}
	if after != "" {
		in.ExclusiveStartKey = headKey(tenant, after)
	}
	for pages := sdk.NewQueryPaginator(s.API, in); pages.HasMorePages() && len(all) <= most; {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, fmt.Errorf("read templates from table %s: %w", s.Table, err)
		}
		for _, item := range page.Items {
			var h template.Head
			if err := unmarshalText(item, templateHeadName, &h); err != nil {
				return nil, false, fmt.Errorf("read templates from table %s: %w", s.Table, err)
			}
			if !h.Deleted() {
				all = append(all, h)
			}
		}
	}
	return all[:min(most, len(all))], len(all) > most, nil
}

// WriteTemplate is as template.Store has it. Both are written in a transaction, which
// the head's revision alone decides on.
func (s *Templates) WriteTemplate(ctx context.Context, h template.Head, add *template.Template) error {
	all, err := s.writes(h, add)
	if err == nil {
		err = s.transact(ctx, all)
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) && slices.ContainsFunc(cancelled.CancellationReasons, isOvertaken) {
		err = template.ErrChanged
	}
	return s.kept(h, err)
}

func (s *Templates) kept(h template.Head, err error) error {
	if err != nil {
		return fmt.Errorf("keep the template %s in table %s: %w", h.Name, s.Table, err)
	}
	return nil
}

// transact makes writes, all or none. The token has what the SDK sends again be done once
// ("TransactWriteItems").
func (s *Templates) transact(ctx context.Context, all []types.TransactWriteItem) error {
	_, err := s.API.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: all,
		ClientRequestToken: aws.String(fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()))})
	return err
}

// makings is the name of the item that counts, in its version, how often templates of a
// tenant were made. Who makes one changes it, and counts the heads after reading it: of
// two at once one counts anew.
const makings = "makings"

// makeTries is how often a template is made again because of others of its tenant.
const makeTries = 12

// MakeTemplate is as template.Store has it. It costs a read of all heads of the tenant,
// and two write units more.
func (s *Templates) MakeTemplate(ctx context.Context, h template.Head, add template.Template, most int) error {
	all, err := s.writes(h, &add)
	for try := 0; err == nil; try++ {
		var making *types.TransactWriteItem
		if making, err = s.making(ctx, h.Tenant, most); err != nil {
			break
		}
		err = s.transact(ctx, append(slices.Clone(all), *making))
		var cancelled *types.TransactionCanceledException
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &cancelled):
		case len(cancelled.CancellationReasons) > 0 && isOvertaken(cancelled.CancellationReasons[0]):
			err = template.ErrChanged
		case slices.ContainsFunc(cancelled.CancellationReasons, isOvertaken) && try < makeTries:
			wait := min(time.Second, 20*time.Millisecond<<try)
			err = pause(ctx, wait/2+rand.N(wait/2), s.Wait)
		}
	}
	return s.kept(h, err)
}

// making is the write that goes with one that makes a template, if there is room for it.
func (s *Templates) making(ctx context.Context, tenant string, most int) (*types.TransactWriteItem, error) {
	key := directoryKey(templateKind, tenant, makings)
	out, err := s.API.GetItem(ctx, &sdk.GetItemInput{TableName: &s.Table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	var was int64
	if n, ok := out.Item[versionName].(*types.AttributeValueMemberN); ok {
		if was, err = strconv.ParseInt(n.Value, 10, 64); err != nil {
			return nil, fmt.Errorf("the item %s: %w", makings, err)
		}
	}
	there, _, err := s.TemplateHeads(ctx, tenant, "", most)
	if err != nil {
		return nil, err
	}
	if len(there) >= most {
		return nil, template.ErrTooMany
	}
	put := putAfter(s.Table, key, was+1, was)
	return &types.TransactWriteItem{Put: &types.Put{TableName: put.TableName, Item: put.Item, ConditionExpression: put.ConditionExpression,
		ExpressionAttributeNames: put.ExpressionAttributeNames, ExpressionAttributeValues: put.ExpressionAttributeValues}}, nil
}

// isOvertaken reports whether somebody else wrote the item, or is writing it.
func isOvertaken(reason types.CancellationReason) bool {
	code := aws.ToString(reason.Code)
	return code == "ConditionalCheckFailed" || code == "TransactionConflict"
}

func (s *Templates) writes(h template.Head, add *template.Template) ([]types.TransactWriteItem, error) {
	head := headKey(h.Tenant, h.Name)
	head[revisionName] = number(h.Revision)
	if err := marshalText(head, templateHeadName, h); err != nil {
		return nil, err
	}
	put := &types.Put{TableName: &s.Table, Item: head, ConditionExpression: aws.String("attribute_not_exists(#revision)"),
		ExpressionAttributeNames: map[string]string{"#revision": revisionName}}
	if h.Revision > 1 {
		put.ConditionExpression = aws.String("#revision = :before")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":before": number(h.Revision - 1)}
	}
	all := []types.TransactWriteItem{{Put: put}}
	if add == nil {
		return all, nil
	}
	version := templateKey(add.Tenant, add.Name, add.Version)
	for part, source := range add.Parts {
		version[sourceName+string(part)] = &types.AttributeValueMemberS{Value: source}
	}
	known := *add
	known.Parts = nil
	if err := marshalText(version, templateVersionName, known); err != nil {
		return nil, err
	}
	return append(all, types.TransactWriteItem{Put: &types.Put{TableName: &s.Table, Item: version}}), nil
}

func marshalText(item map[string]types.AttributeValue, attribute string, value any) error {
	text, err := json.Marshal(value, json.Deterministic(true))
	item[attribute] = &types.AttributeValueMemberS{Value: string(text)}
	return err
}

// DropVersions is as template.Store has it.
func (s *Templates) DropVersions(ctx context.Context, tenant, name string, versions []int64) error {
	for _, v := range versions {
		if _, err := s.API.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: &s.Table, Key: templateKey(tenant, name, v)}); err != nil {
			return fmt.Errorf("remove %s@%d from table %s: %w", name, v, s.Table, err)
		}
	}
	return nil
}
