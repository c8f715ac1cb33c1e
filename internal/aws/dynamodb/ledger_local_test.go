//go:build dynamodb

package awsdynamodb

import (
	"errors"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/storetest"
)

// testLedger runs the suite on a referee (TestReferees).
func testLedger(t *testing.T, client *sdk.Client) {
	storetest.TestLedger(t, func(t *testing.T) storetest.Ledger {
		table := "ledger-" + uuid.NewString()
		createKeyedTable(t, client, table, laneName, itemName)
		return &Ledger{API: client, Table: table}
	})
}

// createKeyedTable makes a table of a deployment that has a key and no more.
func createKeyedTable(t *testing.T, client *sdk.Client, name, hash, sort string) {
	t.Helper()
	makeTable(t, client, &sdk.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: &hash, AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: &sort, AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: &hash, KeyType: types.KeyTypeHash},
			{AttributeName: &sort, KeyType: types.KeyTypeRange},
		},
	})
}

// makeTable makes a table whose name is new: one that is in use is of a request
// whose answer was lost, and that the SDK has sent again.
func makeTable(t *testing.T, client *sdk.Client, in *sdk.CreateTableInput) {
	t.Helper()
	var made *types.ResourceInUseException
	if _, err := client.CreateTable(t.Context(), in); err != nil && !errors.As(err, &made) {
		t.Fatal(err)
	}
}
