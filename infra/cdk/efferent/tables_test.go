package efferent_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/attempt"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/waiting"
)

// What each store puts is caught, by the names of its attributes.
type (
	kept          struct{ awsdynamodb.AttemptsAPI }
	keptWaiting   struct{ awsdynamodb.WaitingAPI }
	keptCircuits  struct{ awsdynamodb.CircuitsAPI }
	keptLedger    struct{ awsdynamodb.LedgerAPI }
	keptPaces     struct{ awsdynamodb.PacesAPI }
	keptEndpoints struct{ awsdynamodb.EndpointsAPI }
)

func (kept) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return caught(in)
}

func (keptWaiting) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return caught(in)
}

func (keptCircuits) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return caught(in)
}

func (keptLedger) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return caught(in)
}

func (keptPaces) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.UpdateItemOutput, error) {
	return nil, names(append(slices.Collect(maps.Keys(in.Key)), slices.Collect(maps.Values(in.ExpressionAttributeNames))...))
}

func (keptEndpoints) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (
	*dynamodb.BatchGetItemOutput, error) {
	return &dynamodb.BatchGetItemOutput{}, nil
}

func (keptEndpoints) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.TransactWriteItemsOutput, error) {
	var all names
	for _, w := range in.TransactItems {
		all = append(all, slices.Collect(maps.Keys(w.Put.Item))...)
	}
	return nil, all
}

func caught(in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	return nil, names(slices.Collect(maps.Keys(in.Item)))
}

type names []string

func (n names) Error() string { return strings.Join(n, " ") }

func TestAttemptsTableHasTheKeysThatAreWritten(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.HasResourceProperties(jsii.String("AWS::DynamoDB::GlobalTable"), object{
			"BillingMode": "PAY_PER_REQUEST",
			"KeySchema": []object{
				{"AttributeName": "webhook_id", "KeyType": "HASH"}, {"AttributeName": "message_attempt", "KeyType": "RANGE"},
			},
			"GlobalSecondaryIndexes": []object{{
				"IndexName": "failures", "Projection": object{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"record"}},
				"KeySchema": []object{{"AttributeName": "failed_in", "KeyType": "HASH"}, {"AttributeName": "failed_at", "KeyType": "RANGE"}},
			}, {
				"IndexName": "endpoints", "Projection": object{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"record"}},
				"KeySchema": []object{{"AttributeName": "sent_to", "KeyType": "HASH"}, {"AttributeName": "sent_at", "KeyType": "RANGE"}},
			}},
			"TimeToLiveSpecification": object{"AttributeName": "expires_at", "Enabled": true},
		})
	})
	err := (&awsdynamodb.Attempts{API: kept{}, Table: "t"}).Put(
		t.Context(), []attempt.Record{{WebhookID: "w", MessageID: "m", Attempt: 1, Verdict: attempt.Permanent, Endpoint: "ep_1"}})
	for _, name := range []string{"webhook_id", "message_attempt", "expires_at", "failed_in", "failed_at", "sent_to", "sent_at", "record"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

// TestWhatWaitsIsFoundByPlace: and no index doubles what it costs.
func TestWhatWaitsIsFoundByPlace(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Waiting"]
	if d := cmp.Diff([]any{
		object{"AttributeName": "place", "KeyType": "HASH"}, object{"AttributeName": "position", "KeyType": "RANGE"},
	}, table["KeySchema"]); d != "" {
		t.Error(d)
	}
	if table["GlobalSecondaryIndexes"] != nil || table["BillingMode"] != "PAY_PER_REQUEST" ||
		!cmp.Equal(table["TimeToLiveSpecification"], object{"AttributeName": "expires_at", "Enabled": true}) {
		t.Errorf("the table is %v", table)
	}
	_, err := (&awsdynamodb.Waiting{API: keptWaiting{}, Table: "t"}).Enter(t.Context(), waiting.Item{State: waiting.Waiting})
	for _, name := range []string{"place", "position", "expires_at"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

// TestCircuitsAreFoundByTheirNames: and a closed one goes by itself.
func TestCircuitsAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Circuits"]
	if d := cmp.Diff([]any{object{"AttributeName": "circuit", "KeyType": "HASH"}}, table["KeySchema"]); d != "" {
		t.Error(d)
	}
	if table["GlobalSecondaryIndexes"] != nil || table["BillingMode"] != "PAY_PER_REQUEST" ||
		!cmp.Equal(table["TimeToLiveSpecification"], object{"AttributeName": "expires_at", "Enabled": true}) {
		t.Errorf("the table is %v", table)
	}
	_, err := (&awsdynamodb.Circuits{API: keptCircuits{}, Table: "t"}).PutCircuit(t.Context(), circuit.State{Version: 1})
	for _, name := range []string{"circuit", "expires_at"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

// TestPacesAreFoundByTheirKeys: and go by themselves.
func TestPacesAreFoundByTheirKeys(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Pace"]
	if d := cmp.Diff([]any{object{"AttributeName": "pace", "KeyType": "HASH"}}, table["KeySchema"]); d != "" {
		t.Error(d)
	}
	if table["BillingMode"] != "PAY_PER_REQUEST" ||
		!cmp.Equal(table["TimeToLiveSpecification"], object{"AttributeName": "expires_at", "Enabled": true}) {
		t.Errorf("the table is %v", table)
	}
	_, err := (&awsdynamodb.Paces{API: keptPaces{}, Table: "t"}).Slow(t.Context(), pace.Slow{Key: "k", Now: time.Now()})
	for _, name := range []string{"pace", "expires_at"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

// TestEndpointsAreFoundByTheirIDs: nothing of them goes by itself, and what somebody
// broke can be brought back.
func TestEndpointsAreFoundByTheirIDs(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Endpoints"]
	if d := cmp.Diff([]any{object{"AttributeName": "id", "KeyType": "HASH"}}, table["KeySchema"]); d != "" {
		t.Error(d)
	}
	recovery := table["Replicas"].([]any)[0].(object)["PointInTimeRecoverySpecification"]
	if table["BillingMode"] != "PAY_PER_REQUEST" || table["TimeToLiveSpecification"] != nil ||
		!cmp.Equal(recovery, any(object{"PointInTimeRecoveryEnabled": true})) {
		t.Errorf("the table is %v", table)
	}
	err := (&awsdynamodb.Endpoints{API: keptEndpoints{}, Table: "t"}).CreateEndpoint(t.Context(), endpoint.Endpoint{ID: "ep_1"}, 1)
	if err == nil || !strings.Contains(err.Error(), "id") || strings.Contains(err.Error(), "expires_at") {
		t.Errorf("the store writes %v", err)
	}
}

func TestLedgerTableHasTheKeysThatAreWritten(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Ledger"]
	written := (&awsdynamodb.Ledger{API: keptLedger{}, Table: "t"}).Stage(t.Context(), "lane-0", ledger.Staged{})
	for i, kind := range []string{"HASH", "RANGE"} {
		key := table["KeySchema"].([]any)[i].(object)
		if name := text(key["AttributeName"]); key["KeyType"] != kind || written == nil || !strings.Contains(written.Error(), name) {
			t.Errorf("the table has the key %v, and the store writes %v", key, written)
		}
	}
}
