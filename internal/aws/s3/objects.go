// Package awss3 keeps immutable objects in S3.
package awss3

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/ledger"
)

// API is what keeping objects takes.
type API interface {
	PutObject(context.Context, *sdk.PutObjectInput, ...func(*sdk.Options)) (*sdk.PutObjectOutput, error)
	GetObject(context.Context, *sdk.GetObjectInput, ...func(*sdk.Options)) (*sdk.GetObjectOutput, error)
	ListObjectsV2(context.Context, *sdk.ListObjectsV2Input, ...func(*sdk.Options)) (*sdk.ListObjectsV2Output, error)
}

// NewClient returns a client, with paths in place of host names where there is
// an endpoint of its own: emulators want that.
func NewClient(c aws.Config) *sdk.Client {
	return sdk.NewFromConfig(c, func(o *sdk.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		// An object may be larger than what is read or written within the time of other calls.
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok && client.GetTimeout() > 0 {
			o.HTTPClient = client.WithTimeout(max(objectTime, client.GetTimeout()))
		}
		// It would log each object that has no checksum of S3's; the ledger's own hashes say more.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

// objectTime is for one try with an object, where tries are bounded at all.
const objectTime = 10 * time.Second

// Objects keeps objects in a bucket. Bundles of entries are compressed there
// (Content-Encoding: gzip, which C2SP tlog-tiles allows). Who reads needs
// s3:ListBucket too: without it S3 says of an object that is not there that
// access is denied ("GetObject" in the API reference). It may be used by many
// goroutines at once.
type Objects struct {
	API    API
	Bucket string
}

// conflicts is how often somebody else may be writing the same object.
const conflicts = 5

// Put keeps b under path by a conditional write ("Conditional writes" in the S3
// user guide). Where other bytes are, they stay, and the error is
// ledger.ErrChanged.
func (o *Objects) Put(ctx context.Context, path string, b []byte) error {
	for try := 1; ; try++ {
		err := o.put(ctx, path, b, aws.String("*"))
		switch code := codeOf(err); {
		case code == "PreconditionFailed":
			return o.same(ctx, path, b)
		case code != "ConditionalRequestConflict" || try == conflicts:
			return err
		}
	}
}

// Replace keeps b under path, whatever is there.
func (o *Objects) Replace(ctx context.Context, path string, b []byte) error {
	return o.put(ctx, path, b, nil)
}

func (o *Objects) put(ctx context.Context, path string, b []byte, ifNoneMatch *string) error {
	in := &sdk.PutObjectInput{Bucket: &o.Bucket, Key: &path, IfNoneMatch: ifNoneMatch, ContentType: aws.String("application/octet-stream")}
	switch {
	case strings.Contains(path, "/tile/entries/"):
		packed, err := gzipped(b)
		if err != nil {
			return err
		}
		b, in.ContentEncoding = packed, aws.String("gzip")
	case !strings.Contains(path, "/tile/"):
		in.ContentType = aws.String("text/plain; charset=utf-8")
	}
	in.Body = bytes.NewReader(b)
	if _, err := o.API.PutObject(ctx, in); err != nil {
		return fmt.Errorf("put s3://%s/%s: %w", o.Bucket, path, err)
	}
	return nil
}

func (o *Objects) same(ctx context.Context, path string, b []byte) error {
	kept, err := o.Get(ctx, path)
	if err == nil && !bytes.Equal(kept, b) {
		err = fmt.Errorf("s3://%s/%s holds other bytes: %w", o.Bucket, path, ledger.ErrChanged)
	}
	return err
}

// Get returns what is under path, or ledger.ErrNotFound.
func (o *Objects) Get(ctx context.Context, path string) ([]byte, error) {
	out, err := o.API.GetObject(ctx, &sdk.GetObjectInput{Bucket: &o.Bucket, Key: &path})
	if codeOf(err) == "NoSuchKey" {
		return nil, fmt.Errorf("s3://%s/%s: %w", o.Bucket, path, ledger.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get s3://%s/%s: %w", o.Bucket, path, err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err == nil && aws.ToString(out.ContentEncoding) == "gzip" {
		b, err = gunzipped(b)
	}
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", o.Bucket, path, err)
	}
	return b, nil
}

// List returns the paths under a prefix that ends in a slash and after a path,
// in order.
func (o *Objects) List(ctx context.Context, prefix, after string) (paths []string, err error) {
	in := &sdk.ListObjectsV2Input{Bucket: &o.Bucket, Prefix: &prefix, Delimiter: aws.String("/")}
	if after != "" {
		in.StartAfter = &after
	}
	for pages := sdk.NewListObjectsV2Paginator(o.API, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", o.Bucket, prefix, err)
		}
		for _, object := range page.Contents {
			paths = append(paths, aws.ToString(object.Key))
		}
	}
	return paths, nil
}

// codeOf is what S3 says an error is, "" for none.
func codeOf(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}

func gzipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// bundleLimit is more than a bundle of the largest entries has.
const bundleLimit = ledger.TileWidth * (2 + 1<<16)

func gunzipped(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrChanged, err)
	}
	out, err := io.ReadAll(io.LimitReader(r, bundleLimit+1))
	if err == nil && len(out) > bundleLimit {
		err = errors.New("it is larger than a bundle can be")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrChanged, err)
	}
	return out, nil
}
