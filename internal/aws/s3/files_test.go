package awss3

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/storetest"
)

// buckets are objects by "bucket/key"; codes are S3's errors by the same.
type buckets struct {
	objects, codes map[string]string
	silent         bool // it does not say how long an object is
}

func (b buckets) GetObject(_ context.Context, in *sdk.GetObjectInput, _ ...func(*sdk.Options)) (*sdk.GetObjectOutput, error) {
	place := *in.Bucket + "/" + *in.Key
	code := b.codes[place]
	content, ok := b.objects[place]
	if code == "" && !ok {
		code = "NoSuchKey"
	}
	if code != "" {
		return nil, &smithy.GenericAPIError{Code: code, Message: place}
	}
	out := &sdk.GetObjectOutput{Body: io.NopCloser(strings.NewReader(content))}
	if !b.silent {
		out.ContentLength = aws.Int64(int64(len(content)))
	}
	return out, nil
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		b := buckets{objects: map[string]string{}, silent: silent}
		f := &Files{b, []string{"acme-public/", "acme-files/invoices/"}}
		storetest.TestFiles(t, f, func(_ *testing.T, place, content string) { b.objects[place] = content })
	}
}

// TestFilesOfOthers: what is not named is not even asked for.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	b := buckets{objects: map[string]string{"acme-files/private": "a", "acme-files-2/invoices/a": "a", "acme-files/invoices2": "a"}}
	for place := range b.objects {
		if got, err := (&Files{b, []string{"acme-files/invoices/"}}).File(t.Context(), place, 10); !errors.Is(err, channel.ErrNoFile) {
			t.Errorf("%s: %q, %v", place, got, err)
		}
	}
}

func TestFilesErrors(t *testing.T) {
	t.Parallel()
	for code, lasts := range map[string]bool{
		"NoSuchBucket": true, "AccessDenied": true, "InvalidObjectState": true, "SlowDown": false, "InternalError": false, "ExpiredToken": false,
	} {
		f := &Files{buckets{codes: map[string]string{"acme-files/a": code}}, []string{"acme-files/"}}
		_, err := f.File(t.Context(), "acme-files/a", 10)
		if err == nil || errors.Is(err, channel.ErrNoFile) != lasts || strings.Contains(err.Error(), "acme-files/a") {
			t.Errorf("%s: %v", code, err)
		}
	}
}
