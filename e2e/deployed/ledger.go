//go:build e2e

package deployed

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awskms "github.com/efferent/efferent/internal/aws/kms"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/ledger"
)

// book is the deployed ledger, as somebody reads it who may read all of it.
type book struct {
	*awsdynamodb.Ledger
	*awss3.Objects
	kept    ledger.Kept
	key     *awskms.Key
	origin  string
	outputs map[string]string
	config  aws.Config
}

func newBook(config aws.Config, outputs map[string]string) *book {
	client := awss3.NewClient(config)
	return &book{
		Ledger:  &awsdynamodb.Ledger{API: dynamodb.NewFromConfig(config), Table: outputs["LedgerTable"]},
		Objects: &awss3.Objects{API: client, Bucket: outputs["LedgerBucket"]},
		kept:    ledger.Kept{Objects: &awss3.Objects{API: client, Bucket: outputs["CheckpointsBucket"]}},
		key:     &awskms.Key{API: kms.NewFromConfig(config), ID: outputs["LedgerKey"]},
		origin:  outputs["LedgerOrigin"],
		outputs: outputs, config: config,
	}
}

// as is the ledger for somebody else.
func (b *book) as(caller aws.CredentialsProvider) *book {
	config := b.config.Copy()
	config.Credentials = caller
	return newBook(config, b.outputs)
}

// sign has the ledger signed now, and not only when the clock says so.
func (b *book) sign(t *testing.T) {
	t.Helper()
	b.wake(t, "CheckpointFunction")
}

// wake runs a function that runs by the clock, by the output that names it.
func (b *book) wake(t *testing.T, output string) {
	t.Helper()
	out, err := lambda.NewFromConfig(b.config).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(b.outputs[output])})
	if err == nil && out.FunctionError != nil {
		err = fmt.Errorf("%s: %s", *out.FunctionError, out.Payload)
	}
	if err != nil {
		t.Fatalf("the %s failed: %v", output, err)
	}
}

// entries calls visit with each entry of every lane.
func (b *book) entries(t *testing.T, visit func(ledger.Line)) {
	t.Helper()
	for lane := range ledger.DefaultLanes {
		log, err := ledger.OpenLog(t.Context(), b, ledger.LaneName(lane))
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Entries(t.Context(), 0, func(_ int64, entry []byte) error {
			line, err := ledger.ParseEntry(entry)
			if err == nil {
				visit(line)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// empty removes every version of every object of both buckets, locked ones too.
func (b *book) empty(ctx context.Context) error {
	client := awss3.NewClient(b.config)
	for _, bucket := range []string{b.outputs["LedgerBucket"], b.outputs["CheckpointsBucket"]} {
		if bucket == "" { // nothing was deployed
			continue
		}
		for pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &bucket}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			var all []types.ObjectIdentifier
			for _, v := range page.Versions {
				all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
			}
			for _, m := range page.DeleteMarkers {
				all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
			}
			if len(all) == 0 {
				continue
			}
			out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, BypassGovernanceRetention: aws.Bool(true),
				Delete: &types.Delete{Objects: all}})
			if err == nil && len(out.Errors) > 0 {
				err = fmt.Errorf("%s is not deleted: %s", *out.Errors[0].Key, aws.ToString(out.Errors[0].Message))
			}
			if err != nil {
				return fmt.Errorf("empty %s: %w", bucket, err)
			}
		}
	}
	return nil
}
