package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

type item = map[string]types.AttributeValue

// ledgerTable plays the ledger's table for one writer at a time, with what AWS
// bills on the bill ("Read and write operations" in the DynamoDB developer
// guide). Conditions hold, as nobody else writes.
type ledgerTable struct {
	items map[string]item
	bill  *bill
}

func keyOf(i item) string {
	return i["lane"].(*types.AttributeValueMemberS).Value + "/" + i["item"].(*types.AttributeValueMemberS).Value
}

func sizeOf(i item) (size int) {
	for name, v := range i {
		size += len(name)
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		}
	}
	return size
}

// unitsOf is how many units of so many bytes a size is.
func unitsOf(size, each int) float64 { return float64(max(1, (size+each-1)/each)) }

func (f *ledgerTable) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	found := f.items[keyOf(in.Key)]
	f.bill.add("rru", unitsOf(sizeOf(found), 4096))
	return &dynamodb.GetItemOutput{Item: found}, nil
}

func (f *ledgerTable) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	f.bill.add("wru", unitsOf(max(sizeOf(in.Item), sizeOf(f.items[keyOf(in.Item)])), 1024))
	f.items[keyOf(in.Item)] = maps.Clone(in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

func (f *ledgerTable) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	value := func(name string) string {
		return in.ExpressionAttributeValues[name].(*types.AttributeValueMemberS).Value
	}
	out, size := &dynamodb.QueryOutput{}, 0
	for _, key := range slices.Sorted(maps.Keys(f.items)) {
		if strings.HasPrefix(key, value(":l")+"/"+value(":i")) {
			out.Items, size = append(out.Items, f.items[key]), size+sizeOf(f.items[key])
		}
	}
	f.bill.add("rru", unitsOf(size, 4096))
	return out, nil
}

func (f *ledgerTable) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.BatchWriteItemOutput, error) {
	for _, requests := range in.RequestItems {
		for _, r := range requests {
			key := keyOf(r.DeleteRequest.Key)
			f.bill.add("wru", unitsOf(sizeOf(f.items[key]), 1024)) // deleting costs what writing did
			delete(f.items, key)
		}
	}
	return &dynamodb.BatchWriteItemOutput{}, nil
}

// bucket plays a bucket, with its requests on the bill.
type bucket struct {
	objects map[string]*s3.GetObjectOutput
	bodies  map[string][]byte
	bill    *bill
}

func newBucket(b *bill) *bucket {
	return &bucket{map[string]*s3.GetObjectOutput{}, map[string][]byte{}, b}
}

func (f *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	b, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	f.bill.mu.Lock()
	defer f.bill.mu.Unlock()
	f.bill.used["s3put"]++
	if in.IfNoneMatch != nil && f.bodies[*in.Key] != nil {
		return nil, &smithy.GenericAPIError{Code: "PreconditionFailed"}
	}
	f.bill.used["s3gb"] += float64(len(b)) / (1 << 30)
	f.bodies[*in.Key], f.objects[*in.Key] = b, &s3.GetObjectOutput{ContentEncoding: in.ContentEncoding}
	return &s3.PutObjectOutput{}, nil
}

func (f *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	f.bill.mu.Lock()
	defer f.bill.mu.Unlock()
	f.bill.used["s3get"]++
	found := f.objects[*in.Key]
	if found == nil {
		return nil, &smithy.GenericAPIError{Code: "NoSuchKey", Message: fmt.Sprintf("no %s", *in.Key)}
	}
	return &s3.GetObjectOutput{ContentEncoding: found.ContentEncoding, Body: io.NopCloser(bytes.NewReader(f.bodies[*in.Key]))}, nil
}

func (f *bucket) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	f.bill.add("s3put", 1) // LIST has the price of PUT
	out := &s3.ListObjectsV2Output{}
	f.bill.mu.Lock()
	defer f.bill.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(f.bodies)) {
		if strings.HasPrefix(key, *in.Prefix) && (in.StartAfter == nil || key > *in.StartAfter) {
			out.Contents = append(out.Contents, s3types.Object{Key: &key})
		}
	}
	return out, nil
}
