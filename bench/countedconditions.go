package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// holds reports whether what a write asks for is so of the item that is there: one
// of its terms, which are joined by OR.
func holds(in *dynamodb.PutItemInput, old item) bool {
	if in.ConditionExpression == nil {
		return true
	}
	for term := range strings.SplitSeq(*in.ConditionExpression, " OR ") {
		if termHolds(term, in, old) {
			return true
		}
	}
	return false
}

func termHolds(term string, in *dynamodb.PutItemInput, old item) bool {
	if name, ok := strings.CutPrefix(term, "attribute_not_exists("); ok {
		return old[in.ExpressionAttributeNames[strings.TrimSuffix(name, ")")]] == nil
	}
	part := strings.Fields(term) // #name, how it compares, :value
	is := old[in.ExpressionAttributeNames[part[0]]]
	if is == nil {
		return false
	}
	switch order := ordered(is, in.ExpressionAttributeValues[part[2]]); part[1] {
	case "=":
		return order == 0
	case "<":
		return order < 0
	default: // <=
		return order <= 0
	}
}

// ordered compares two texts or two numbers.
func ordered(a, b types.AttributeValue) int {
	x, ok := a.(*types.AttributeValueMemberN)
	if !ok {
		return strings.Compare(textOf(a), textOf(b))
	}
	m, _ := strconv.ParseInt(x.Value, 10, 64)
	n, _ := strconv.ParseInt(b.(*types.AttributeValueMemberN).Value, 10, 64)
	return cmp.Compare(m, n)
}
