//go:build dynamodb

package awsdynamodb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/storetest"
)

// testLedger runs the suite on a referee (TestReferees).
func testLedger(t *testing.T, client *sdk.Client) {
	storetest.TestLedger(t, func(t *testing.T) storetest.Ledger {
		table := "ledger-" + uuid.NewString()
		createLedgerTable(t, client, table)
		return &Ledger{API: client, Table: table}
	})
}

// createLedgerTable makes the table of a deployment.
func createLedgerTable(t *testing.T, client *sdk.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &sdk.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(laneName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(itemName), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(laneName), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(itemName), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}
