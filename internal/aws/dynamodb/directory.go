package awsdynamodb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes that all items of the directory's table have: the partition key, such
// as suppression#acme, and the sort key. Those that go by themselves have expires_at.
const (
	partName = "part"
	nameName = "name"
)

// directoryKey is that of a tenant's item of a kind. The empty tenant is one too.
func directoryKey(kind, tenant, name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		partName: &types.AttributeValueMemberS{Value: kind + "#" + tenant},
		nameName: &types.AttributeValueMemberS{Value: name},
	}
}
