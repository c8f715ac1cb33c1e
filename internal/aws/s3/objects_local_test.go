//go:build dynamodb

package awss3

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/storetest"
)

// TestOnMiniStack runs the suite on MiniStack's S3.
func TestOnMiniStack(t *testing.T) {
	t.Parallel()
	url := ministack.Start(t, false).URL
	config := scenario.Config(url)
	config.BaseEndpoint = &url
	client := NewClient(config)
	open := func(t *testing.T) *Objects {
		bucket := "ledger-" + uuid.NewString()
		if _, err := client.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
			t.Fatal(err)
		}
		return &Objects{API: client, Bucket: bucket}
	}
	storetest.TestObjects(t, func(t *testing.T) storetest.Objects { return open(t) })
	t.Run("replaced and listed", func(t *testing.T) {
		t.Parallel()
		o := open(t)
		for _, b := range []string{"1", "2"} {
			if err := o.Replace(t.Context(), "lane-0/checkpoint", []byte(b)); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := o.Get(t.Context(), "lane-0/checkpoint"); err != nil || string(b) != "2" {
			t.Errorf("got %q, %v", b, err)
		}
		for _, path := range []string{"lane-0/checkpoints/02", "lane-0/checkpoints/01", "lane-0/checkpoints/x/1", "lane-1/checkpoints/1"} {
			if err := o.Put(t.Context(), path, []byte(path)); err != nil {
				t.Fatal(err)
			}
		}
		for after, want := range map[string][]string{
			"": {"lane-0/checkpoints/01", "lane-0/checkpoints/02"}, "lane-0/checkpoints/01": {"lane-0/checkpoints/02"}} {
			if got, err := o.List(t.Context(), "lane-0/checkpoints/", after); err != nil || !slices.Equal(got, want) {
				t.Errorf("after %q: got %v, %v, want %v", after, got, err, want)
			}
		}
	})
}
