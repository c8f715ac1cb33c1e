package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

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
	f.bill.step("PutObject")
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
	f.bill.used["s3gb"] += float64(len(b)) / gb
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
