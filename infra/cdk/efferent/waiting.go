package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newWaiting makes the table that internal/aws/dynamodb keeps the waiting room
// in: by place, which is a shard of a minute, and in it by when an item is due.
// An item is written twice in its life, and an index would double that.
func newWaiting(scope constructs.Construct, removal awscdk.RemovalPolicy) awsdynamodb.ITableV2 {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return awsdynamodb.NewTableV2(scope, jsii.String("Waiting"), &awsdynamodb.TablePropsV2{
		PartitionKey:        key("place"),
		SortKey:             key("position"),
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		Encryption:          awsdynamodb.TableEncryptionV2_DynamoOwnedKey(),
		RemovalPolicy:       removal,
	})
}
