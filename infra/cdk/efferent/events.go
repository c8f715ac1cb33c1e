package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newPublished makes the table that internal/aws/dynamodb keeps events in: an item for
// each, which says whose endpoints get it, and one for each key of a request.
func newPublished(k keeping) awsdynamodb.ITableV2 {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return k.table("Published", &awsdynamodb.TablePropsV2{
		PartitionKey:        key("place"),
		SortKey:             key("key"),
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		RemovalPolicy:       k.removal,
	})
}
