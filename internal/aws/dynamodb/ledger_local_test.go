//go:build dynamodb

package awsdynamodb

import (
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
	_, err := client.CreateTable(t.Context(), &sdk.CreateTableInput{
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
	if err != nil {
		t.Fatal(err)
	}
}
