package sqsserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// serve gives the bundle's engine over HTTP, with a client of the SDK.
func (b *bundle) serve() (*sqs.Client, string) {
	server := httptest.NewServer(sqsserver.LoopbackOnly(sqsserver.NewHandler(b.Engine)))
	b.t.Cleanup(server.Close)
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	}), server.URL
}

func TestTheSDKGoesThroughEverything(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	c, base := b.serve()
	ctx := t.Context()
	b.create("dlq", nil)
	made, err := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: redrive("dlq", 1)})
	b.must(err)
	if *made.QueueUrl != base+"/000000000000/q" {
		t.Fatalf("URL %s", *made.QueueUrl)
	}
	q := made.QueueUrl
	list, err := c.ListQueues(ctx, &sqs.ListQueuesInput{})
	b.must(err)
	found, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	b.must(err)
	if len(list.QueueUrls) != 2 || list.QueueUrls[1] != *q || *found.QueueUrl != *q {
		t.Fatalf("found %v, %s", list.QueueUrls, *found.QueueUrl)
	}
	_, err = c.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: q, Attributes: attributes{"VisibilityTimeout": "7"}})
	b.must(err)
	got, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: q, AttributeNames: []types.QueueAttributeName{"VisibilityTimeout"}})
	b.must(err)
	if got.Attributes["VisibilityTimeout"] != "7" {
		t.Fatalf("got %v", got.Attributes)
	}
	const body = "<a href=\"x\">&</a>\r\n\t\u2028 héllo \U0001F600"
	_, err = c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String(body),
		MessageAttributes: map[string]types.MessageAttributeValue{"k": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}}}})
	b.must(err)
	batch, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("later"), DelaySeconds: 1}, {Id: aws.String("2"), MessageBody: aws.String("\x00")}}})
	b.must(err)
	if len(batch.Successful) != 1 || len(batch.Failed) != 1 || !batch.Failed[0].SenderFault {
		t.Fatalf("batch %+v", batch)
	}
	received, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: 10,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	b.must(err)
	m := received.Messages[0]
	if len(received.Messages) != 1 || *m.Body != body || string(m.MessageAttributes["k"].BinaryValue) != "\x00\xff" ||
		m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %+v", received.Messages)
	}
	_, err = c.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{
		QueueUrl: q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("1"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 3}}})
	b.must(err)
	_, err = c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle})
	b.must(err)
	received, err = c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q})
	b.must(err)
	if len(received.Messages) != 0 {
		t.Fatal("it did not move")
	}
	task, err := c.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))})
	b.must(err)
	if *b.finished().Status != "COMPLETED" || *task.TaskHandle == "" {
		t.Fatal("it was not moved back")
	}
	tasks, err := c.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn("dlq"))})
	b.must(err)
	if tasks.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Fatalf("tasks %+v", tasks.Results)
	}
	m = b.want("q", body)[0]
	_, err = c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle})
	b.must(err)
	_, err = c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{
		QueueUrl: q, Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("1"), ReceiptHandle: m.ReceiptHandle}}})
	b.must(err)
	b.wantCounts("q", 0, 0, 1)
}

// The client's errors are those of the engine: the same types and codes.
func TestErrorsAreTheSDKsOwn(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	c, _ := b.serve()
	b.create("q", nil)
	type both interface {
		receiver
		DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
		CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
		SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
		StartMessageMoveTask(context.Context, *sqs.StartMessageMoveTaskInput, ...func(*sqs.Options)) (*sqs.StartMessageMoveTaskOutput, error)
	}
	for name, api := range map[string]both{"engine": b.Engine, "client": c} {
		_, err := api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("nope")})
		b.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
		if e := new(types.QueueDoesNotExist); !errors.As(err, &e) {
			t.Errorf("%s: %T", name, err)
		}
		_, err = api.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q"), ReceiptHandle: aws.String("x")})
		b.wantCode(err, "ReceiptHandleIsInvalid")
		if e := new(types.ReceiptHandleIsInvalid); !errors.As(err, &e) {
			t.Errorf("%s: %T", name, err)
		}
		_, err = api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: attributes{"DelaySeconds": "1"}})
		b.wantCode(err, "QueueAlreadyExists")
		if e := new(types.QueueNameExists); !errors.As(err, &e) {
			t.Errorf("%s: %T", name, err)
		}
		_, err = api.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{
			QueueUrl: url("q"), Entries: []types.SendMessageBatchRequestEntry{}})
		b.wantCode(err, "AWS.SimpleQueueService.EmptyBatchRequest")
		_, err = api.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("q"))})
		b.wantCode(err, "InvalidParameterValue")
	}
}

func TestTheWire(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, base := b.serve()
	b.create("q", attributes{"DelaySeconds": "10", "ReceiveMessageWaitTimeSeconds": "20"})
	const target = "AmazonSQS."
	for _, c := range []struct {
		name, operation, body string
		status                int
		want                  string // the answer, "…" for anything
		header                string // x-amzn-query-error
	}{
		{"a zero delay is not none", target + "SendMessage", `{"QueueUrl":"q","MessageBody":"a","DelaySeconds":0,"Unknown":1}`, 200,
			`{"MD5OfMessageBody":"0cc175b9c0f1b6a831c399e269772661","MessageId":"…"}`, ""},
		{"nor a zero wait", target + "ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":0,"VisibilityTimeout":0}`, 200,
			`{"Messages":[{"Body":"a","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661","MessageId":"…","ReceiptHandle":"…"}]}`, ""},
		{"a batch's zero delay", target + "SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"a","DelaySeconds":0}]}`, 200,
			`{"Successful":[{"Id":"1","MD5OfMessageBody":"0cc175b9c0f1b6a831c399e269772661","MessageId":"…"}]}`, ""},
		{"zero messages", target + "ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":0}`, 400,
			`{"__type":"com.amazon.coral.service#InvalidParameterValueException","message":"…"}`, "InvalidParameterValue;Sender"},
		{"no visibility", target + "ChangeMessageVisibility", `{"QueueUrl":"q","ReceiptHandle":"x"}`, 400,
			`{"__type":"com.amazon.coral.service#MissingRequiredParameterException","message":"…"}`, "MissingParameter;Sender"},
		{"nothing given", target + "SendMessage", `{}`, 400,
			`{"__type":"com.amazon.coral.service#MissingRequiredParameterException","message":"…"}`, "MissingParameter;Sender"},
		{"an unknown queue", target + "GetQueueUrl", `{"QueueName":"nope"}`, 400,
			`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`,
			"AWS.SimpleQueueService.NonExistentQueue;Sender"},
		{"the failure's fault", target + "DeleteMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"1","ReceiptHandle":"x"}]}`, 200,
			`{"Failed":[{"Code":"ReceiptHandleIsInvalid","Id":"1","Message":"…","SenderFault":true}]}`, ""},
		{"an unknown operation", target + "Nope", `{"QueueUrl":"q"}`, 400,
			`{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"The operation \"AmazonSQS.Nope\" is not supported."}`,
			"AWS.SimpleQueueService.UnsupportedOperation;Sender"},
		{"another service", "DynamoDB_20120810.GetItem", `{}`, 400,
			`{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"…"}`, "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
		{"no JSON", target + "SendMessage", `{"QueueUrl":`, 400,
			`{"__type":"com.amazon.coral.service#SerializationException","message":"…"}`, "SerializationException;Sender"},
		{"a wrong type", target + "SendMessage", `{"QueueUrl":"q","MessageBody":1}`, 400,
			`{"__type":"com.amazon.coral.service#SerializationException","message":"…"}`, "SerializationException;Sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := post(t, base, c.operation, strings.NewReader(c.body))
			if status != c.status {
				t.Fatalf("status %d: %s", status, body)
			}
			if got := header.Get("x-amzn-query-error"); got != c.header {
				t.Errorf("query error %q", got)
			}
			if !sameJSON(t, body, c.want) {
				t.Errorf("answer %s\nwant %s", body, c.want)
			}
			if header.Get("x-amzn-RequestId") == "" || header.Get("Content-Type") != "application/x-amz-json-1.0" {
				t.Errorf("header %v", header)
			}
		})
	}
}

func post(t *testing.T, base, operation string, body io.Reader) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base, body)
	if err != nil {
		t.Fatal(err)
	}
	if operation != "" {
		r.Header.Set("X-Amz-Target", operation)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, w.Header, string(b)
}

// sameJSON compares; "…" in want stands for any text.
func sameJSON(t *testing.T, got, want string) bool {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	return same(a, b)
}

func same(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		for k := range want {
			ok = ok && same(got[k], want[k])
		}
		return ok && len(got) == len(want)
	case []any:
		got, ok := got.([]any)
		ok = ok && len(got) == len(want)
		for i := range want {
			ok = ok && same(got[i], want[i])
		}
		return ok
	case string:
		text, ok := got.(string)
		return ok && (text == want || want == "…" && text != "")
	}
	return got == want
}

// unread fails the test when a request is read although it says that it is
// too long.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("it was read"); return 0, io.EOF }

func TestALongRequestIsRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	handler := sqsserver.NewHandler(b.Engine)
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
	}{
		"before it is read, where its length is known": {unread{t}, 7 << 20},
		"while it is read, where it is not":            {strings.NewReader(strings.Repeat("x", 7<<20)), -1},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", c.body)
		r.ContentLength = c.length
		r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
}

func TestAMessageOfOneMebibyteFits(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	c, _ := b.serve()
	b.create("q", nil)
	body := strings.Repeat("\"", 1<<20)
	_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: &body})
	b.must(err)
	b.want("q", body)
}
