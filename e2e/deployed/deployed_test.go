//go:build e2e

package deployed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
)

// choices deploy a stack that may send to receivers on this machine, and that
// leaves nothing behind.
var choices = map[string]string{"prefix": "e2e-", "removal": "destroy", "allowHttp": "loopback", "allowCidrs": "127.0.0.0/8",
	"retryPolicies": roomPolicies, "circuitLimits": "first=3s;longest=10s", "twilioReports": "true"}

func TestDeployed(t *testing.T) {
	target := newTarget(t)
	config := target.chosen(t)
	if target.Endpoint == "" {
		config = target.start(t, false)
	}
	s := deployScenarios(t, target, config)
	scenarios(t, s.Stack)
}

// scenarios are those of a whole deployment, but for SQS's own move tasks,
// which MiniStack has none of.
func scenarios(t *testing.T, s *scenario.Stack) {
	waited := waits(t, s) // for longer than the others take
	t.Run("side by side", func(t *testing.T) {
		t.Run("registered endpoints", func(t *testing.T) {
			t.Parallel() // it waits for a minute or two
			scenario.Registered(t, s)
		})
		t.Run("messages", func(t *testing.T) {
			t.Parallel()
			t.Run("webhooks", func(t *testing.T) { scenario.Webhooks(t, s) })
			t.Run("answers", func(t *testing.T) { scenario.Answers(t, s) })
			t.Run("circuits", func(t *testing.T) { scenario.Circuits(t, s) })
			t.Run("notifications", func(t *testing.T) { scenario.Notifications(t, s) })
		})
	})
	t.Run("dead letters", func(t *testing.T) { scenario.DeadLetters(t, s, false) })
	t.Run("an operator and the waiting room", func(t *testing.T) { operatorDecides(t, s) })
	t.Run("the waiting room", waited)
}

// chosen makes AWS_ENDPOINT_URL, where it is set, the target, with the caller's
// own credentials. Its functions must reach receivers on this machine's
// loopback.
func (target *Target) chosen(t *testing.T) aws.Config {
	t.Helper()
	target.Endpoint = os.Getenv("AWS_ENDPOINT_URL")
	if target.Endpoint == "" {
		return aws.Config{}
	}
	config, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatalf("whose account is at %s? %v", target.Endpoint, err)
	}
	target.Account, target.Region = *who.Account, config.Region
	return config
}

// TestDeployedWithIAM runs where every permission is enforced: the function
// does its work with nothing but its own role, and others get nothing.
func TestDeployedWithIAM(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, true)
	deployed := deployScenarios(t, target, config)
	s, a, b := deployed.Stack, deployed.api, deployed.book
	makeUpForMiniStack(t, config)
	scenarios(t, s)
	t.Run("release wants for nothing", func(t *testing.T) { b.wake(t, "ReleaseFunction") })
	t.Run("the ledger holds it all", func(t *testing.T) { ledgerHolds(t, s, b) })
	t.Run("an auditor can tell", func(t *testing.T) { anAuditorCanTell(t, target, s, b) })
	t.Run("the lock holds", func(t *testing.T) { lockHolds(t, s, b) })
	t.Run("who appends can't sign", func(t *testing.T) { eachDoesItsOwn(t, b) })
	t.Run("others get nothing", func(t *testing.T) { othersGetNothing(t, s, a, config) })
}

func newTarget(t *testing.T) *Target {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return &Target{Account: "000000000000", Region: "us-east-1", Root: root, Dir: t.TempDir()}
}

// start runs a MiniStack until the test ends, and makes it the target, with the
// key that is its root's. With auth it enforces IAM.
func (target *Target) start(t *testing.T, auth bool) aws.Config {
	t.Helper()
	m := ministack.Start(t, auth)
	target.Endpoint, target.CA, target.AccessKey, target.SecretKey = m.URL, m.CA, "test", "test"
	config := scenario.Config(m.URL)
	if auth {
		client, err := m.Client()
		if err != nil {
			t.Fatal(err)
		}
		config.HTTPClient = client
	}
	return config
}

// deploy deploys a stack of these choices for the test and returns how to use
// it.
func deploy(t *testing.T, target *Target, config aws.Config, choices map[string]string) (*scenario.Stack, *api, *book) {
	t.Helper()
	started := time.Now()
	outputs, err := target.Deploy(t.Context(), choices)
	s, a, b := target.use(t, config, outputs, choices["prefix"])
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		defer stop()
		if err := errors.Join(b.empty(ctx), target.Destroy(ctx, choices)); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("deployed to %s in %s: %v", target.Endpoint, time.Since(started).Round(time.Second), outputs)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	b.sign(t) // the first run makes the month's keys
	return s, a, b
}

// use is how scenarios use a stack that was deployed.
func (target *Target) use(t *testing.T, config aws.Config, outputs map[string]string, prefix string) (*scenario.Stack, *api, *book) {
	t.Helper()
	config.RetryMaxAttempts = 5 // a connection is reset now and then
	attempts := &awsdynamodb.Attempts{API: dynamodb.NewFromConfig(config), Table: outputs["AttemptsTable"]}
	a := &api{}
	if outputs["ApiUrl"] != "" { // the deployment did not fail
		a = newAPI(t, target, config, outputs["ApiUrl"])
	}
	s := &scenario.Stack{API: a.call, SQS: sqs.NewFromConfig(config), Secrets: secretsmanager.NewFromConfig(config), Prefix: prefix,
		History: func(ctx context.Context, id string) ([]attempt.Record, error) {
			records, err := attempts.OfWebhook(ctx, id)
			slices.SortFunc(records, func(a, b attempt.Record) int { return a.At.Compare(b.At) })
			return records, err
		}}
	if outputs["ReportsQueueUrl"] != "" {
		s.Callback = a.callback
	}
	return s, a, newBook(config, outputs)
}
