package sqsserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// FuzzRequest sends any body to any operation: nothing panics, and every
// answer is JSON with a status that fits.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][2]string{
		{"SendMessage", `{"QueueUrl":"q","MessageBody":"x","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AAE="}}}`},
		{"SendMessage", `{"QueueUrl":"q.fifo","MessageBody":"x","MessageGroupId":"g"}`},
		{"SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"x","DelaySeconds":1},null]}`},
		{"ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]}`},
		{"DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":null}`},
		{"DeleteMessageBatch", `{"QueueUrl":"q","Entries":[{}]}`},
		{"ChangeMessageVisibility", `{"QueueUrl":"q","ReceiptHandle":"x","VisibilityTimeout":-1}`},
		{"ChangeMessageVisibilityBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","VisibilityTimeout":1}]}`},
		{"CreateQueue", `{"QueueName":"n","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":1}"}}`},
		{"SetQueueAttributes", `{"QueueUrl":"q","Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":\"\"}"}}`},
		{"GetQueueAttributes", `{"QueueUrl":"q","AttributeNames":["All",""]}`},
		{"GetQueueUrl", `{}`}, {"ListQueues", `null`}, {"StartMessageMoveTask", `{"SourceArn":"arn:"}`},
		{"ListMessageMoveTasks", `[]`}, {"CancelMessageMoveTask", `{"TaskHandle":"x"}`},
		{"DeleteQueue", `{"QueueUrl":"q"}`}, {"PurgeQueue", `{"QueueUrl":"/q"}`}, {"UntagQueue", `{"QueueUrl":"q","TagKeys":["a",null]}`},
		{"TagQueue", `{"QueueUrl":"q","Tags":{"a":null,"":"b"}}`}, {"ListQueueTags", `{"QueueUrl":null}`},
		{"ListDeadLetterSourceQueues", `{"QueueUrl":"q","MaxResults":1,"NextToken":"YWZ0ZXI6"}`},
		{"SetQueueAttributes", `{"QueueUrl":"q","Attributes":{"RedriveAllowPolicy":"{\"sourceQueueArns\":[null]}"}}`},
		{"ReceiveMessage", `{"QueueUrl":"q.fifo","ReceiveRequestAttemptId":"x"}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		b := newBundle(t)
		b.create("q", nil)
		b.create("q.fifo", byContent)
		b.send("q", "a")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if strings.Contains(body, "Wait") || strings.Contains(body, `\u`) {
			cancel() // the clock stands still: a long poll would not end
		}
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		w := httptest.NewRecorder()
		sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable:
		default:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if !sameJSON(t, w.Body.String(), w.Body.String()) {
			t.Fatal("an answer differs from itself")
		}
	})
}
