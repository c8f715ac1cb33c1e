package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TransactWriteItems makes every write, for twice its units ("DynamoDB transactions:
// how it works"). What it is conditional on holds, where nobody else writes.
func (t *table) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.TransactWriteItemsOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bill.step("TransactWriteItems")
	for _, w := range in.TransactItems {
		switch {
		case w.Put != nil:
			t.bill.add("wru", unitsOf(sizeOf(w.Put.Item), 1024))
			t.replace(w.Put.Item, w.Put.Item)
		default:
			return nil, errNotPlayed
		}
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}
