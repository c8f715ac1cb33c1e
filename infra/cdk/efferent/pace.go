package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newPace makes the table that internal/aws/dynamodb keeps paces in: an item for each
// channel, server and sender that was sent to of late at a limit. Nothing is lost with
// it but what its items say of the next minutes.
func newPace(k keeping) awsdynamodb.ITableV2 {
	return k.table("Pace", &awsdynamodb.TablePropsV2{
		PartitionKey:        &awsdynamodb.Attribute{Name: jsii.String("pace"), Type: awsdynamodb.AttributeType_STRING},
		TimeToLiveAttribute: jsii.String("expires_at"),
		Billing:             awsdynamodb.Billing_OnDemand(nil),
		RemovalPolicy:       k.removal,
	})
}
