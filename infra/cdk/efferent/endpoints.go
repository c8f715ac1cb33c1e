package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newEndpoints makes the table that internal/aws/dynamodb keeps the endpoints of
// tenants in: an item for each, and one for each tenant. What customers have
// registered is nowhere else, so that it can be brought back to any second of the last
// 35 days ("Point-in-time recovery for DynamoDB"), and stays as the waiting room does.
func newEndpoints(k keeping) awsdynamodb.ITableV2 {
	return k.table("Endpoints", &awsdynamodb.TablePropsV2{
		PartitionKey:                     &awsdynamodb.Attribute{Name: jsii.String("id"), Type: awsdynamodb.AttributeType_STRING},
		Billing:                          awsdynamodb.Billing_OnDemand(nil),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		RemovalPolicy:                    staying(k.removal),
	})
}
