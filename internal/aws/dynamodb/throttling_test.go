package awsdynamodb

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/efferent/efferent/internal/attempt"
)

// TestThrottling shows that the SDK's client, as it is wired, tries a throttled
// request again, and what is told when that does not help.
func TestThrottling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		throttled int64 // requests that are refused
		requests  int64
		fails     bool
	}{
		{"not at all", 0, 1, false},
		{"twice", 2, 3, false},
		{"for longer than is tried", 99, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				if requests.Add(1) <= c.throttled {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}`)
					return
				}
				_, _ = io.WriteString(w, `{"UnprocessedItems":{}}`)
			}))
			t.Cleanup(server.Close)
			client := sdk.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL,
				Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}, func(o *sdk.Options) {
				o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
					s.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				})
			})
			err := (&Attempts{API: client, Table: "attempts"}).Put(t.Context(), []attempt.Record{{WebhookID: "w", MessageID: "m", Attempt: 1}})
			if (err != nil) != c.fails || requests.Load() != c.requests {
				t.Errorf("got %v after %d requests, want %d", err, requests.Load(), c.requests)
			}
			if err != nil && !strings.Contains(err.Error(), "ThrottlingException") {
				t.Errorf("%q does not tell why", err)
			}
		})
	}
}
