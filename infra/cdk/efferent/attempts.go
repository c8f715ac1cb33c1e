package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// failuresIndex has the last attempts of what failed for good, by queue and
// time, and nothing else.
const failuresIndex = "failures"

// endpointsIndex has the attempts at registered endpoints, by endpoint and time, and
// nothing else.
const endpointsIndex = "endpoints"

// newAttempts makes the table that internal/aws/dynamodb keeps attempt records
// and claims in.
func newAttempts(k keeping) awsdynamodb.ITableV2 {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return k.table("Attempts", &awsdynamodb.TablePropsV2{
		PartitionKey: key("webhook_id"),
		SortKey:      key("message_attempt"),
		GlobalSecondaryIndexes: &[]*awsdynamodb.GlobalSecondaryIndexPropsV2{{
			IndexName:        jsii.String(failuresIndex),
			PartitionKey:     key("failed_in"),
			SortKey:          key("failed_at"),
			ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
			NonKeyAttributes: jsii.Strings("record"),
		}, {
			IndexName:        jsii.String(endpointsIndex),
			PartitionKey:     key("sent_to"),
			SortKey:          key("sent_at"),
			ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
			NonKeyAttributes: jsii.Strings("record"),
		}},
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		RemovalPolicy:       k.removal,
	})
}
