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
			{AttributeName: aws.String(failedInName), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(failedAtName), AttributeType: types.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(failuresIndex),
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String(failedInName), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String(failedAtName), KeyType: types.KeyTypeRange},
			},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{recordName}},
		}},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(webhookIDName), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sortKeyName), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	store := &Attempts{API: client, Table: "attempts"}
	storetest.TestAttempts(t, store)
	storetest.TestFailures(t, store)
	storetest.TestClaims(t, &Claims{API: client, Table: "attempts"})
}
