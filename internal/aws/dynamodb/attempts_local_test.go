//go:build dynamodb

package awsdynamodb

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/e2e/moto"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/storetest"
)

// TestReferees runs the same suites, and what only a server shows, on two
// servers that play DynamoDB, and that so agree with each other and with its
// documentation. Where one is known to differ its test says so. Neither can show
// a read that is not consistent.
func TestReferees(t *testing.T) {
	t.Parallel()
	t.Run("moto", func(t *testing.T) {
		t.Parallel()
		testReferee(t, moto.Start(t), oneByOne)
	})
	t.Run("MiniStack", func(t *testing.T) {
		t.Parallel()
		client := testReferee(t, ministack.Start(t, false).URL, func(o *sdk.Options) {})
		// Not of moto 5.2.5: its batch_write_item (moto/dynamodb/responses.py)
		// takes any number of items, and the same key twice.
		t.Run("what a batch may hold", func(t *testing.T) { t.Parallel(); testBatches(t, client) })
	})
}

// oneByOne sends one request at a time. moto 5.2.5 answers requests on threads, and its
// update_item (moto/dynamodb/models) reads the item, looks at the condition and writes
// without a lock: two callers get through by the same item. DynamoDB's updates of an
// item are one after the other ("Condition expressions", "ReturnValues").
func oneByOne(o *sdk.Options) { o.HTTPClient = &single{HTTPClient: o.HTTPClient} }

// single waits with each request for the answer to the one before.
type single struct {
	sdk.HTTPClient
	mu sync.Mutex
}

func (s *single) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.HTTPClient.Do(r)
}

func testReferee(t *testing.T, url string, options func(*sdk.Options)) *sdk.Client {
	config := scenario.Config(url)
	config.RetryMaxAttempts = 0 // as many as the SDK makes by itself
	client := sdk.NewFromConfig(config, options)
	createTable(t, client)
	store := &Attempts{API: client, Table: "attempts"}
	storetest.TestAttempts(t, store)
	storetest.TestFailures(t, store)
	storetest.TestOfEndpoints(t, store)
	storetest.TestReports(t, store)
	storetest.TestClaims(t, &Claims{API: client, Table: "attempts"})
	createKeyedTable(t, client, "waiting", placeName, positionName) // infra/cdk/efferent
	storetest.TestWaiting(t, &Waiting{API: client, Table: "waiting"})
	createKeyedTable(t, client, "circuits", circuitName, "")
	storetest.TestCircuits(t, &Circuits{API: client, Table: "circuits"})
	createKeyedTable(t, client, "pace", paceName, "")
	storetest.TestPaces(t, &Paces{API: client, Table: "pace"})
	createKeyedTable(t, client, "endpoints", endpointIDName, "")
	storetest.TestEndpoints(t, &Endpoints{API: client, Table: "endpoints"})
	createKeyedTable(t, client, "events", placeName, eventKeyName)
	storetest.TestEvents(t, &Events{API: client, Table: "events"})
	storetest.TestKeys(t, &Events{API: client, Table: "events"})
	createKeyedTable(t, client, "directory", partName, nameName)
	storetest.TestRecipients(t, &Recipients{API: client, Table: "directory"})
	storetest.TestTemplates(t, &Templates{API: client, Table: "directory"})
	storetest.TestSuppressions(t, &Suppressions{API: client, Table: "directory"})
	for name, test := range map[string]func(*testing.T, *sdk.Client){
		"a claim whose answer is lost":         testLostAnswer,
		"items expire":                         testExpiry,
		"the ledger":                           testLedger,
		"the index holds failures and no more": testSparseIndex,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, client)
		})
	}
	return client
}

// createTable makes the table of a deployment (infra/cdk/efferent/attempts.go).
func createTable(t *testing.T, client *sdk.Client) {
	t.Helper()
	makeTable(t, client, &sdk.CreateTableInput{
		TableName: aws.String("attempts"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(webhookIDName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sortKeyName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(failedInName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(failedAtName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sentToName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sentAtName), AttributeType: types.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(failuresIndex),
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String(failedInName), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String(failedAtName), KeyType: types.KeyTypeRange},
			},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{recordName}},
		}, {
			IndexName: aws.String(ofEndpointsIndex),
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String(sentToName), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String(sentAtName), KeyType: types.KeyTypeRange},
			},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{recordName}},
		}},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(webhookIDName), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sortKeyName), KeyType: types.KeyTypeRange},
		},
	})
}

// losing sends requests, and loses the answer to the first one.
type losing struct {
	sdk.HTTPClient
	requests int
}

func (l *losing) Do(r *http.Request) (*http.Response, error) {
	response, err := l.HTTPClient.Do(r)
	if l.requests++; l.requests == 1 && err == nil {
		response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

// testLostAnswer takes a claim with a request that was done, and that the SDK
// sends again: it is not claimed by itself.
func testLostAnswer(t *testing.T, client *sdk.Client) {
	options := client.Options()
	wire := &losing{HTTPClient: options.HTTPClient}
	options.HTTPClient = wire
	s := &Claims{API: sdk.New(options), Table: "attempts"}
	now := time.Now().UTC()
	c := claim.Claim{Queue: "webhook-failures", ItemID: uuid.NewString(), Token: uuid.NewString(), At: now, Until: now.Add(time.Minute)}
	if other, err := s.TakeClaim(t.Context(), c); err != nil || wire.requests != 2 {
		t.Errorf("after %d requests: %v, %+v", wire.requests, err, other)
	}
	if other, err := s.TakeClaim(t.Context(), claim.Claim{Queue: c.Queue, ItemID: c.ItemID, Token: "another", At: now}); !errors.Is(
		err, claim.ErrTaken) || !cmp.Equal(other, c) {
		t.Errorf("another got %v, %+v", err, other)
	}
}
