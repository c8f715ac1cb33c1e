package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/endpoint"
)

// EndpointsAPI is what keeping endpoints takes.
type EndpointsAPI interface {
	batchGetAPI
	TransactWriteItems(context.Context, *sdk.TransactWriteItemsInput, ...func(*sdk.Options)) (*sdk.TransactWriteItemsOutput, error)
}

// Endpoints keeps the endpoints of tenants in a table of its own with the partition
// key id, a string: an item for each endpoint, and one for each tenant's roster. It
// is as endpoint.Store has it. All reads are consistent. A write reads both items and
// writes both in a transaction, which costs two write units for each KB of either;
// the roster has 26 bytes for each of its endpoints.
type Endpoints struct {
	API   EndpointsAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
}

// The attributes of the table's items. An endpoint is one JSON string; ids are those
// of a roster, in one string with spaces between them. Both have a version.
const (
	endpointIDName = "id"
	tenantName     = "tenant"
	endpointName   = "endpoint"
	idsName        = "ids"
)

// mostOfTenant is how many endpoints a tenant may have, whatever it may have: a
// roster is one item, of 400 KB at most, and an id may have 64 bytes.
const mostOfTenant = 6000

// rosterID is no endpoint's id: those have no '#'.
func rosterID(tenant string) string { return "tenant#" + tenant }

func endpointKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{endpointIDName: &types.AttributeValueMemberS{Value: id}}
}

// Endpoints is as endpoint.Store has it.
func (s *Endpoints) Endpoints(ctx context.Context, ids []string) (found []endpoint.Endpoint, err error) {
	items, err := s.items(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		e, err := s.endpoint(item)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// Roster is as endpoint.Store has it.
func (s *Endpoints) Roster(ctx context.Context, tenant string) (endpoint.Roster, error) {
	items, err := s.items(ctx, []string{rosterID(tenant)})
	if err != nil || len(items) == 0 {
		return endpoint.Roster{}, err
	}
	return s.roster(items[0])
}

func (s *Endpoints) items(ctx context.Context, ids []string) ([]map[string]types.AttributeValue, error) {
	var keys []map[string]types.AttributeValue
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		keys = append(keys, endpointKey(id))
	}
	return batchReader{s.API, s.Table, true, s.Wait}.all(ctx, keys)
}

func (s *Endpoints) endpoint(item map[string]types.AttributeValue) (e endpoint.Endpoint, err error) {
	text, ok := item[endpointName].(*types.AttributeValueMemberS)
	if !ok {
		return e, fmt.Errorf("an endpoint in table %s has no text under %q", s.Table, endpointName)
	}
	if err := json.Unmarshal([]byte(text.Value), &e); err != nil {
		return endpoint.Endpoint{}, fmt.Errorf("an endpoint in table %s can't be read: %w", s.Table, err)
	}
	return e, nil
}

func (s *Endpoints) roster(item map[string]types.AttributeValue) (endpoint.Roster, error) {
	read := itemReader{item: item}
	roster := endpoint.Roster{IDs: strings.Fields(read.text(idsName)), Version: read.number(versionName)}
	if read.err != nil {
		return endpoint.Roster{}, fmt.Errorf("a roster in table %s can't be read: it has no %q or no %q", s.Table, idsName, versionName)
	}
	return roster, nil
}

// CreateEndpoint is as endpoint.Store has it. A tenant has 6,000 at most, whatever
// most is.
func (s *Endpoints) CreateEndpoint(ctx context.Context, e endpoint.Endpoint, most int) error {
	return s.write(ctx, "keep", e, func(now *written) error {
		switch {
		case now.kept != nil:
			return endpoint.ErrTaken
		case len(now.roster.IDs) >= min(most, mostOfTenant):
			return endpoint.ErrTooMany
		}
		now.roster.IDs = append(now.roster.IDs, e.ID)
		return now.put(e)
	})
}

// UpdateEndpoint is as endpoint.Store has it.
func (s *Endpoints) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	return s.write(ctx, "keep", e, func(now *written) error {
		if err := now.isThere(e, e.Version-1); err != nil {
			return err
		}
		return now.put(e)
	})
}

// DeleteEndpoint is as endpoint.Store has it.
func (s *Endpoints) DeleteEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	return s.write(ctx, "delete", e, func(now *written) error {
		if err := now.isThere(e, e.Version); err != nil {
			return err
		}
		now.roster.IDs = slices.DeleteFunc(now.roster.IDs, func(id string) bool { return id == e.ID })
		return nil
	})
}

// written is what a write makes of an endpoint and its tenant's roster.
type written struct {
	// kept is the endpoint as it is there; nil where it is not.
	kept   *endpoint.Endpoint
	roster endpoint.Roster
	// item is the endpoint as it shall be; nil where it shall not be there.
	item map[string]types.AttributeValue
}

func (w *written) isThere(e endpoint.Endpoint, version int64) error {
	switch {
	case w.kept == nil || w.kept.Tenant != e.Tenant:
		return endpoint.ErrNotFound
	case w.kept.Version != version:
		return endpoint.ErrChanged
	}
	return nil
}

func (w *written) put(e endpoint.Endpoint) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	w.item = endpointKey(e.ID)
	w.item[versionName] = number(e.Version)
	w.item[endpointName] = &types.AttributeValueMemberS{Value: string(text)}
	return nil
}

// endpointTries is how often a write is made again because of others: a dozen is
// some seconds.
const endpointTries = 12

// errCrowded: others write the same items faster than this could.
var errCrowded = errors.New("others changed the tenant's endpoints time and again meanwhile; try again")

// write changes an endpoint and its tenant's roster, if neither was changed since they
// were read; otherwise it decides anew.
func (s *Endpoints) write(ctx context.Context, what string, e endpoint.Endpoint, change func(*written) error) error {
	fail := func(err error) error {
		return fmt.Errorf("%s the endpoint %s in table %s: %w", what, e.ID, s.Table, err)
	}
	for try := range endpointTries {
		now, err := s.now(ctx, e)
		if err != nil {
			return fail(err)
		}
		before := now.kept
		if err := change(&now); err != nil {
			return fail(err)
		}
		made, err := s.transact(ctx, e, before, now)
		if made || err != nil {
			return wrapped(err, fail)
		}
		most := min(time.Second, 20*time.Millisecond<<try)
		if err := pause(ctx, most/2+rand.N(most/2), s.Wait); err != nil {
			return fail(err)
		}
	}
	return fail(errCrowded)
}

func wrapped(err error, by func(error) error) error {
	if err == nil {
		return nil
	}
	return by(err)
}

// now reads what a write begins with, in one request.
func (s *Endpoints) now(ctx context.Context, e endpoint.Endpoint) (w written, err error) {
	items, err := s.items(ctx, []string{e.ID, rosterID(e.Tenant)})
	if err != nil {
		return w, err
	}
	for _, item := range items {
		if _, isRoster := item[idsName]; isRoster {
			if w.roster, err = s.roster(item); err != nil {
				return w, err
			}
			continue
		}
		kept, err := s.endpoint(item)
		if err != nil {
			return w, err
		}
		w.kept = &kept
	}
	return w, nil
}

// transact writes both, each in the place of the version that was read. It reports
// whether it did; it did not where others were faster, or were writing too. The token
// has what the SDK sends again be done once ("TransactWriteItems").
func (s *Endpoints) transact(ctx context.Context, e endpoint.Endpoint, before *endpoint.Endpoint, now written) (made bool, err error) {
	var was int64
	if before != nil {
		was = before.Version
	}
	roster := endpointKey(rosterID(e.Tenant))
	roster[versionName] = number(now.roster.Version + 1)
	roster[idsName] = &types.AttributeValueMemberS{Value: strings.Join(now.roster.IDs, " ")}
	_, err = s.API.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{
		ClientRequestToken: aws.String(fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())),
		TransactItems:      []types.TransactWriteItem{s.replace(e.ID, now.item, was), s.replace("", roster, now.roster.Version)},
	})
	var cancelled *types.TransactionCanceledException
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &cancelled) && !slices.ContainsFunc(cancelled.CancellationReasons, isFinal):
		return false, nil
	}
	return false, err
}

// replace puts an item, or deletes it by its id, where it is of a version; 0 is that
// of one that is not there.
func (s *Endpoints) replace(id string, item map[string]types.AttributeValue, was int64) types.TransactWriteItem {
	condition, names := aws.String("attribute_not_exists(#version)"), map[string]string{"#version": versionName}
	var values map[string]types.AttributeValue
	if was > 0 {
		condition, values = aws.String("#version = :was"), map[string]types.AttributeValue{":was": number(was)}
	}
	if item == nil {
		return types.TransactWriteItem{Delete: &types.Delete{TableName: &s.Table, Key: endpointKey(id), ConditionExpression: condition,
			ExpressionAttributeNames: names, ExpressionAttributeValues: values}}
	}
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.Table, Item: item, ConditionExpression: condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values}}
}

// isFinal reports whether what cancelled a transaction would do so again.
func isFinal(reason types.CancellationReason) bool {
	switch aws.ToString(reason.Code) {
	case "", "None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		return false
	}
	return true
}
