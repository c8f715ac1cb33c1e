package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/circuit"
)

// CircuitsAPI is what keeping circuits takes.
type CircuitsAPI interface {
	batchGetAPI
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	Scan(context.Context, *sdk.ScanInput, ...func(*sdk.Options)) (*sdk.ScanOutput, error)
}

// Circuits keeps the circuits of endpoints in a table of its own with the
// partition key circuit, a string, and a TTL on expires_at, which closed ones
// alone have. It is as circuit.Store has it. To read one costs half a read unit,
// to change it a write unit, whether another was faster or not.
type Circuits struct {
	API   CircuitsAPI
	Table string
	// Wait is as Attempts has it.
	Wait func(ctx context.Context, d time.Duration) error
	// Now says when a circuit was changed. Nil is the machine's clock.
	Now func() time.Time
}

// circuitName is an attribute with the circuit's circuit.Name.Key. The state, under
// stateName, is one JSON string; versionName has its version.
const circuitName = "circuit"

func circuitKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{circuitName: &types.AttributeValueMemberS{Value: key}}
}

// Circuits is as circuit.Store has it, by reads that are not consistent: they
// cost half.
func (c *Circuits) Circuits(ctx context.Context, names []circuit.Name) ([]circuit.State, error) {
	return c.read(ctx, circuit.Keys(names), false)
}

// KeptCircuits is as circuit.Store has it, by consistent reads.
func (c *Circuits) KeptCircuits(ctx context.Context, keys []string) ([]circuit.State, error) {
	return c.read(ctx, slices.Clone(keys), true)
}

func (c *Circuits) read(ctx context.Context, keys []string, consistent bool) ([]circuit.State, error) {
	slices.Sort(keys)
	var asked []map[string]types.AttributeValue
	for _, key := range slices.Compact(keys) {
		asked = append(asked, circuitKey(key))
	}
	items, err := batchReader{API: c.API, Table: c.Table, Consistent: consistent, Wait: c.Wait}.all(ctx, asked)
	if err != nil {
		return nil, err
	}
	return c.states(items)
}

// PutCircuit is as circuit.Store has it, by one conditional write.
func (c *Circuits) PutCircuit(ctx context.Context, s circuit.State) (now circuit.State, err error) {
	item, err := c.item(s)
	if err != nil {
		return now, err
	}
	in := putNext(c.Table, item, s.Version)
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err = c.API.PutItem(ctx, in)
	var other *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return s, nil
	case !errors.As(err, &other):
		return now, fmt.Errorf("keep the circuit of %s in table %s: %w", s.URL, c.Table, err)
	case len(other.Item) == 0:
		return circuit.State{Name: s.Name}, circuit.ErrChanged
	}
	if now, err = c.state(other.Item); err != nil {
		return now, err
	}
	return now, circuit.ErrChanged
}

func (c *Circuits) item(s circuit.State) (map[string]types.AttributeValue, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("the circuit of %s: %w", s.URL, err)
	}
	item := circuitKey(s.Key())
	item[stateName] = &types.AttributeValueMemberS{Value: string(b)}
	if at := s.Expires(c.now()); !at.IsZero() {
		item[expiresName] = number(at.Unix())
	}
	return item, nil
}

func (c *Circuits) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// PageCircuits is as circuit.Store has it, by a scan. Error: circuit.ErrCursor.
func (c *Circuits) PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	in := &sdk.ScanInput{TableName: &c.Table, Limit: aws.Int32(int32(limit))}
	if from != "" {
		if !circuit.IsKey(from) {
			return nil, "", circuit.ErrCursor
		}
		in.ExclusiveStartKey = circuitKey(from)
	}
	page, err := c.API.Scan(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("read circuits from table %s: %w", c.Table, err)
	}
	if last, ok := page.LastEvaluatedKey[circuitName].(*types.AttributeValueMemberS); ok {
		next = last.Value
	}
	states, err = c.states(page.Items)
	return states, next, err
}

// states reads items. Where one can't be read none is given.
func (c *Circuits) states(items []map[string]types.AttributeValue) (states []circuit.State, err error) {
	for _, item := range items {
		s, err := c.state(item)
		if err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	return states, nil
}

func (c *Circuits) state(item map[string]types.AttributeValue) (s circuit.State, err error) {
	text, ok := item[stateName].(*types.AttributeValueMemberS)
	if !ok {
		return s, fmt.Errorf("a circuit in table %s has no text under %q", c.Table, stateName)
	}
	if err := json.Unmarshal([]byte(text.Value), &s); err != nil {
		return circuit.State{}, fmt.Errorf("a circuit in table %s can't be read: %w", c.Table, err)
	}
	return s, nil
}
