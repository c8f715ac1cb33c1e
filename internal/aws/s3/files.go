package awss3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/efferent/efferent/internal/channel"
)

// GetAPI is what reading objects takes.
type GetAPI interface {
	GetObject(context.Context, *sdk.GetObjectInput, ...func(*sdk.Options)) (*sdk.GetObjectOutput, error)
}

// Files are the attachments of emails, in buckets. It may be used by many goroutines
// at once.
type Files struct {
	API GetAPI
	// Places are what may be read, each a bucket, a slash, and what keys begin with.
	Places []string
}

// File returns what is at "bucket/key", of most bytes at most. Its error wraps
// channel.ErrNoFile where there is no such object, a larger one, or one that is not
// under Places; any other may pass. It does not quote the key.
func (f *Files) File(ctx context.Context, place string, most int) ([]byte, error) {
	if !f.allows(place) {
		return nil, fmt.Errorf("%w: it is not in a bucket that attachments may be read from", channel.ErrNoFile)
	}
	bucket, key, _ := strings.Cut(place, "/")
	out, err := f.API.GetObject(ctx, &sdk.GetObjectInput{Bucket: &bucket, Key: &key})
	switch code := codeOf(err); {
	case code == "NoSuchKey" || code == "NoSuchBucket":
		return nil, fmt.Errorf("%w: there is nothing under that key", channel.ErrNoFile)
	case code == "AccessDenied":
		return nil, fmt.Errorf("%w: S3 has nothing under that key, or denies access to it", channel.ErrNoFile)
	case code == "InvalidObjectState":
		return nil, fmt.Errorf("%w: it is archived", channel.ErrNoFile)
	case code != "":
		return nil, errors.New("S3: " + code)
	case err != nil:
		return nil, errors.New("S3 can't be reached")
	}
	defer out.Body.Close()
	if aws.ToInt64(out.ContentLength) > int64(most) {
		return nil, errTooLarge
	}
	return read(out.Body, most)
}

var errTooLarge = fmt.Errorf("%w: it is too large: attachments may have 10 MiB together", channel.ErrNoFile)

func read(body io.Reader, most int) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	switch {
	case err != nil:
		return nil, errors.New("S3 broke off")
	case len(content) > most:
		return nil, errTooLarge
	case len(content) == 0:
		return nil, fmt.Errorf("%w: it is empty", channel.ErrNoFile)
	}
	return content, nil
}

func (f *Files) allows(place string) bool {
	for _, allowed := range f.Places {
		if strings.HasPrefix(place, allowed) {
			return true
		}
	}
	return false
}
