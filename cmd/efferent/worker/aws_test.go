package worker

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/aws/fromenv"
)

// TestConsumerPollsForLong: of all calls only a receive may take longer than a
// try does.
func TestConsumerPollsForLong(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
			if !strings.Contains(string(body), `"MaxNumberOfMessages":10,`) {
				t.Errorf("SQS refuses %s", body)
			}
			select { // a long poll
			case <-time.After(fromenv.TryTime + time.Second):
			case <-r.Context().Done():
				t.Error("the poll was cut")
			}
			_, _ = io.WriteString(w, "{}")
			return
		}
		if tries.Add(1); tries.Load() > 1 {
			_, _ = io.WriteString(w, "{}")
			return
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	config := scenario.Config(server.URL)
	config.RetryMaxAttempts = 2
	c := newConsumer(tried(config))
	url := server.URL + "/000000000000/webhooks"
	if _, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20,
		MaxNumberOfMessages: assembly.AuditBatch}); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &url}); err != nil || tries.Load() != 2 {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}

// TestTried: a worker's tries are bounded whatever HTTP client it was configured
// with.
func TestTried(t *testing.T) {
	t.Parallel()
	config := scenario.Config("http://127.0.0.1")
	for range 2 {
		config = tried(config)
		if client, ok := config.HTTPClient.(*awshttp.BuildableClient); !ok || client.GetTimeout() != fromenv.TryTime {
			t.Errorf("the client is %T", config.HTTPClient)
		}
	}
}
