package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newWaiting makes the table that internal/aws/dynamodb keeps the waiting room
// in: by place, which is a shard of a minute, and in it by when an item is due.
// An item is written twice in its life, and an index would double that. It holds
// messages: where the very deployment that made it fails, functions may have been
// using it already, so it stays then too.
func newWaiting(k keeping) awsdynamodb.ITableV2 {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return k.table("Waiting", &awsdynamodb.TablePropsV2{
		PartitionKey:        key("place"),
		SortKey:             key("position"),
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		RemovalPolicy:       staying(k.removal),
	})
}

// staying is the policy of what stays even where the deployment that made it fails,
// unless all is to be destroyed.
func staying(removal awscdk.RemovalPolicy) awscdk.RemovalPolicy {
	if removal == awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE {
		return awscdk.RemovalPolicy_RETAIN
	}
	return removal
}
