package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newCircuits makes the table that internal/aws/dynamodb keeps the circuits of
// endpoints in: an item for each endpoint that has failed of late. They are few, so
// who lists them scans. It says which messages in the waiting room are to be let
// out, and so it stays when that one does.
func newCircuits(k keeping) awsdynamodb.ITableV2 {
	return k.table("Circuits", &awsdynamodb.TablePropsV2{
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String("circuit"), Type: awsdynamodb.AttributeType_STRING},
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		RemovalPolicy:       staying(k.removal),
	})
}
