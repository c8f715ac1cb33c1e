package conformance

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/e2e/localstack"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// endpoint is where a check runs.
type endpoint struct {
	url   string
	clock *clockwork.FakeClock // nil on a real one
	// patience is how long a check may take. wake is how long a receive that
	// waits may sleep on: on a real clock less than the 20 seconds it asked for.
	patience, wake time.Duration
}

// longest is the most time that a check may let pass on a real endpoint.
const longest = 3 * time.Second

// realEndpoint is the one that AWS_ENDPOINT_URL names, or a LocalStack that is
// started where LOCALSTACK_PYTHON is set; nil where neither is.
func realEndpoint(t *testing.T) *endpoint {
	t.Helper()
	url := os.Getenv("AWS_ENDPOINT_URL")
	if url == "" && os.Getenv("LOCALSTACK_PYTHON") != "" {
		url = localstack.Start(t)
	}
	if url == "" {
		return nil
	}
	return &endpoint{url: url, patience: 5 * time.Minute, wake: 15 * time.Second}
}

// takes: a real endpoint is given what needs no more than a few seconds.
func (e *endpoint) takes(c *check) bool { return c.passes <= longest && c.inFlight == 0 }

// ours starts this project's endpoint until the test ends, on a clock that
// stands still.
func ours(t *testing.T, inFlight int) *endpoint {
	t.Helper()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	engine, err := sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{
		Clock: clock, InFlightLimit: inFlight, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sqsserver.NewHandler(engine))
	t.Cleanup(func() {
		if err := engine.Close(); err != nil { // first, so that no receive waits on
			t.Error(err)
		}
		server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &endpoint{url: server.URL, clock: clock, patience: 5 * time.Minute, wake: 5 * time.Minute}
}

// start is a run of a check on the endpoint.
func (e *endpoint) start(t *testing.T, check *check) *C {
	ctx, stop := context.WithTimeout(t.Context(), e.patience)
	t.Cleanup(stop)
	return &C{
		Client: sqs.New(sqs.Options{
			Region: "us-east-1", BaseEndpoint: &e.url, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}),
		ctx: ctx, endpoint: e, check: check,
	}
}

// name is one that no other queue has.
func (c *C) name() string { return "conformance-" + rand.Text() }
