//go:build e2e

package deployed

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
)

// choices deploy a stack that may send to receivers on this machine, and that
// leaves nothing behind.
var choices = map[string]string{"prefix": "e2e-", "removal": "destroy", "allowHttp": "loopback", "allowCidrs": "127.0.0.0/8"}

func TestDeployed(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	target := &Target{Endpoint: os.Getenv("AWS_ENDPOINT_URL"), Account: "000000000000", Region: "us-east-1", Root: root, Dir: t.TempDir()}
	if target.Endpoint == "" {
		m, err := ministack.Start(t.Context(), ministack.Options{Program: os.Getenv("MINISTACK"), Dir: target.Dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(m.Output())
			}
			if err := m.Stop(); err != nil {
				t.Error(err)
			}
		})
		target.Endpoint, target.AccessKey, target.SecretKey = m.URL, "test", "test"
	}
	s := deploy(t, target)
	scenario.Webhooks(t, s)
}

// deploy deploys a stack for the test and returns how to use it.
func deploy(t *testing.T, target *Target) *scenario.Stack {
	t.Helper()
	started := time.Now()
	outputs, err := target.Deploy(t.Context(), choices)
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		defer stop()
		if err := target.Destroy(ctx, choices); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("deployed to %s in %s: %v", target.Endpoint, time.Since(started).Round(time.Second), outputs)
	config := scenario.Config(target.Endpoint)
	config.RetryMaxAttempts = 5 // a connection is reset now and then
	attempts := &awsdynamodb.Attempts{API: dynamodb.NewFromConfig(config), Table: outputs["AttemptsTable"]}
	s := &scenario.Stack{SQS: sqs.NewFromConfig(config), Secrets: secretsmanager.NewFromConfig(config), Prefix: choices["prefix"],
		History: func(ctx context.Context, id string) ([]attempt.Record, error) {
			records, err := attempts.OfWebhook(ctx, id)
			slices.SortFunc(records, func(a, b attempt.Record) int { return a.At.Compare(b.At) })
			return records, err
		}}
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}
