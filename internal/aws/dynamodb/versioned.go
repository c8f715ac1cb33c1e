package awsdynamodb

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// putNext is what puts an item, whose version is given, in the place of the one of the
// version before; of the first version, where there is none.
func putNext(table string, item map[string]types.AttributeValue, version int64) *sdk.PutItemInput {
	return putAfter(table, item, version, version-1)
}

// putAfter is what puts an item, whose version is given, in the place of the one of
// version was; of 0, where there is none.
func putAfter(table string, item map[string]types.AttributeValue, version, was int64) *sdk.PutItemInput {
	item[versionName] = number(version)
	in := &sdk.PutItemInput{TableName: &table, Item: item, ConditionExpression: aws.String("attribute_not_exists(#version)"),
		ExpressionAttributeNames: map[string]string{"#version": versionName}}
	if was > 0 {
		in.ConditionExpression = aws.String("#version = :was")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":was": number(was)}
	}
	return in
}
