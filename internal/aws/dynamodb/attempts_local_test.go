//go:build dynamodb

package dynamodb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "github.com/efferent/efferent/e2e/dynamodb"
	"github.com/efferent/efferent/internal/storetest"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	client := local.Start(t)
	_, err := client.CreateTable(t.Context(), &sdk.CreateTableInput{
		TableName: aws.String("attempts"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(webhookIDName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(sortKeyName), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(webhookIDName), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sortKeyName), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	storetest.TestAttempts(t, &Attempts{API: client, Table: "attempts"})
}
