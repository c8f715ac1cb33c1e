package sqsserver_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// random is what answers hold that no test can know.
var random = regexp.MustCompile(`(<(RequestId|MessageId|ReceiptHandle|TaskHandle)>)[^<]+`)

func TestTheQueryProtocol(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	handler := sqsserver.NewHandler(b.Engine)
	b.create("q", attributes{"DelaySeconds": "10", "ReceiveMessageWaitTimeSeconds": "20"})
	b.create("empty", nil)
	const queue = "/000000000000/q"
	ok := func(operation, result string) string {
		return "<" + operation + `Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">` + result +
			"<ResponseMetadata><RequestId>…</RequestId></ResponseMetadata></" + operation + "Response>"
	}
	refused := func(code, message string) string {
		return `<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>` + code +
			"</Code><Message>" + message + "</Message><Detail/></Error><RequestId>…</RequestId></ErrorResponse>"
	}
	for _, c := range []struct {
		name, method, target, form string
		status                     int
		want                       string
	}{
		{"a queue's URL has the caller's host", "GET", "http://localhost:99/?Action=GetQueueUrl&QueueName=q&Version=2012-11-05", "", 200,
			ok("GetQueueUrl", "<GetQueueUrlResult><QueueUrl>http://localhost:99/000000000000/q</QueueUrl></GetQueueUrlResult>")},
		{"a list", "POST", "http://127.0.0.1/", "Action=ListQueues&QueueNamePrefix=q", 200,
			ok("ListQueues", "<ListQueuesResult><QueueUrl>http://127.0.0.1/000000000000/q</QueueUrl></ListQueuesResult>")},
		{"the path names the queue, a zero delay is not none", "POST", queue, "Action=SendMessage&MessageBody=a%0D%0A%3C&DelaySeconds=0", 200,
			ok("SendMessage", "<SendMessageResult><MD5OfMessageBody>992a4edf375c646e1d5aa38ae382d8c0</MD5OfMessageBody>"+
				"<MessageId>…</MessageId></SendMessageResult>")},
		{"a carriage return comes back, a zero wait is not none", "POST",
			queue + "/?Action=ReceiveMessage&WaitTimeSeconds=0&AttributeName=SentTimestamp&VisibilityTimeout=0", "", 200,
			ok("ReceiveMessage", "<ReceiveMessageResult><Message><Attribute><Name>SentTimestamp</Name><Value>1795521600000</Value></Attribute>"+
				"<Body>a&#xD;&#xA;&lt;</Body><MD5OfBody>992a4edf375c646e1d5aa38ae382d8c0</MD5OfBody><MessageId>…</MessageId>"+
				"<ReceiptHandle>…</ReceiptHandle></Message></ReceiveMessageResult>")},
		{"no result", "POST", queue, "Action=SetQueueAttributes&Attribute.Name=VisibilityTimeout&Attribute.Value=35", 200,
			ok("SetQueueAttributes", "")},
		{"attributes", "POST", queue, "Action=GetQueueAttributes&AttributeName.2=DelaySeconds&AttributeName.1=VisibilityTimeout", 200,
			ok("GetQueueAttributes", "<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>10</Value></Attribute>"+
				"<Attribute><Name>VisibilityTimeout</Name><Value>35</Value></Attribute></GetQueueAttributesResult>")},
		{"no messages", "POST", queue, "Action=ReceiveMessage&WaitTimeSeconds=0&QueueUrl=" + neturl.QueryEscape(*url("empty")), 200,
			ok("ReceiveMessage", "<ReceiveMessageResult/>")},
		{"the older list of names goes before the newer one", "POST", queue, "Action=ReceiveMessage&WaitTimeSeconds=0&VisibilityTimeout=0" +
			"&MessageSystemAttributeName.1=All&AttributeName.1=SenderId", 200,
			ok("ReceiveMessage", "<ReceiveMessageResult><Message><Attribute><Name>SenderId</Name><Value>000000000000</Value></Attribute>"+
				"<Body>a&#xD;&#xA;&lt;</Body><MD5OfBody>992a4edf375c646e1d5aa38ae382d8c0</MD5OfBody><MessageId>…</MessageId>"+
				"<ReceiptHandle>…</ReceiptHandle></Message></ReceiveMessageResult>")},
		{"an unknown queue", "POST", "/000000000000/nope", "Action=ReceiveMessage", 400,
			refused("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist for this wsdl version.")},
		{"a queue is not created at another", "GET", queue + "?Action=CreateQueue&QueueName=x", "", 400,
			refused("InvalidAction", "The action CreateQueue is not valid for this endpoint.")},
		{"queues are not listed at one", "POST", queue, "Action=ListQueues", 400,
			refused("InvalidAction", "The action ListQueues is not valid for this endpoint.")},
		{"the URL of another may be asked for at one", "GET", queue + "?Action=GetQueueUrl&QueueName=empty", "", 200,
			ok("GetQueueUrl", "<GetQueueUrlResult><QueueUrl>http://example.com/000000000000/empty</QueueUrl></GetQueueUrlResult>")},
		{"a look at a queue's URL", "GET", queue, "", 404, "<UnknownOperationException/>\n"},
		{"no queue", "POST", "/", "Action=ReceiveMessage", 400, refused("MissingParameter", "The request must contain the parameter QueueUrl.")},
		{"no handle of ours", "POST", queue, "Action=DeleteMessage&ReceiptHandle=x", 404,
			refused("ReceiptHandleIsInvalid", "The input receipt handle &#34;x&#34; is not a valid receipt handle.")},
		{"no number", "POST", queue, "Action=ReceiveMessage&WaitTimeSeconds=x", 400,
			refused("InvalidParameterValue", "The value of the parameter WaitTimeSeconds is invalid. Reason: Must be an integer.")},
		{"no visibility", "POST", queue, "Action=ChangeMessageVisibility&ReceiptHandle=x", 400,
			refused("MissingParameter", "The request must contain the parameter VisibilityTimeout.")},
		{"an empty batch of older SDKs", "POST", queue, "Action=SendMessageBatch&Entries=", 400,
			refused("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")},
		{"no operation", "POST", "/", `{"QueueUrl":"q"}`, 400, refused("MissingAction", "The request must contain the parameter Action.")},
		{"no such operation", "POST", "/", "Action=Fly", 400, refused("InvalidAction", "The action Fly is not valid for this endpoint.")},
		{"no escape", "POST", "/", "Action=%f", 404,
			refused("MalformedQueryString", "The request&#39;s parameters could not be read: invalid URL escape &#34;%f&#34;")},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, c.target, strings.NewReader(c.form)))
		got := random.ReplaceAllString(strings.TrimPrefix(w.Body.String(), xml.Header), "$1…")
		if w.Code != c.status || got != c.want {
			t.Errorf("%s: status %d\n got %s\nwant %s", c.name, w.Code, got, c.want)
		}
	}
}

func TestAQueryMayBeAnsweredInJSON(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String(`{"foo": "ba` + "\r" + `r"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("Binary"), BinaryValue: []byte{1}}}})
	b.must(err)
	hidden := regexp.MustCompile(`("(RequestId|MessageId|ReceiptHandle)":)"[^"]+`)
	for _, c := range []struct{ query, want string }{ // the queue is purged after it was received from
		{"Action=ListQueues", `{"ListQueuesResponse":{"ListQueuesResult":{"NextToken":null,"queueUrls":["http://example.com/000000000000/q"]},` +
			`"ResponseMetadata":{"RequestId":"…"}}}`},
		{"Action=GetQueueAttributes&QueueUrl=q&AttributeName.1=DelaySeconds", `{"GetQueueAttributesResponse":{"GetQueueAttributesResult":` +
			`{"Attributes":[{"Name":"DelaySeconds","Value":"0"}]},"ResponseMetadata":{"RequestId":"…"}}}`},
		{"Action=ReceiveMessage&QueueUrl=q&MessageAttributeName.1=All", `{"ReceiveMessageResponse":{"ReceiveMessageResult":{"messages":[` +
			`{"Attributes":null,"Body":"{\"foo\": \"ba\rr\"}","MD5OfBody":"0a648b05735ac03fc257bc62b640f441",` +
			`"MD5OfMessageAttributes":"5ecc33ece5671fd719e59da531ccd275","MessageAttributes":[{"Name":"a","Value":{` +
			`"BinaryListValues":null,"BinaryValue":"AQ==","DataType":"Binary","StringListValues":null,"StringValue":null}}],` +
			`"MessageId":"…","ReceiptHandle":"…"}]},` +
			`"ResponseMetadata":{"RequestId":"…"}}}`},
		{"Action=PurgeQueue&QueueUrl=q", `{"PurgeQueueResponse":{"ResponseMetadata":{"RequestId":"…"}}}`},
		{"Action=Fly", `{"Error":{"Code":"InvalidAction","Message":"The action Fly is not valid for this endpoint.","Type":"Sender"},` +
			`"RequestId":"…"}`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/?"+c.query, nil)
		r.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
		if got := hidden.ReplaceAllString(w.Body.String(), `$1"…`); got != c.want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestOnlyTheSameOriginMayQuery(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	handler := sqsserver.NewHandler(b.Engine)
	b.create("q", nil)
	const send = "Action=SendMessage&MessageBody=x&QueueUrl=q"
	for name, c := range map[string]struct {
		method, header, value string
		status                int
	}{
		"no browser":                 {"POST", "X", "", 200},
		"an image of another site":   {"GET", "Sec-Fetch-Site", "cross-site", 403},
		"a form of another site":     {"POST", "Sec-Fetch-Site", "cross-site", 403},
		"another port":               {"GET", "Sec-Fetch-Site", "same-site", 403},
		"an older browser's form":    {"POST", "Origin", "http://evil.test", 403},
		"a page of this origin":      {"POST", "Sec-Fetch-Site", "same-origin", 200},
		"what was typed into a bar":  {"GET", "Sec-Fetch-Site", "none", 400},
		"a GET of no browser":        {"GET", "X", "", 400},
		"an older browser's own one": {"POST", "Origin", "http://example.com", 200},
	} {
		r := httptest.NewRequest(c.method, "/?"+send, nil)
		r.Header.Set(c.header, c.value)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	b.wantCounts("q", 3, 0, 0)
}

// TestAGetChangesNothing: each action that does is refused, and the others are
// not.
func TestAGetChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	handler := sqsserver.NewHandler(b.Engine)
	for name, refused := range map[string]bool{
		"AddPermission": true, "CancelMessageMoveTask": true, "ChangeMessageVisibility": true, "ChangeMessageVisibilityBatch": true,
		"CreateQueue": true, "DeleteMessage": true, "DeleteMessageBatch": true, "DeleteQueue": true, "GetQueueAttributes": false,
		"GetQueueUrl": false, "ListDeadLetterSourceQueues": false, "ListMessageMoveTasks": false, "ListQueues": false,
		"ListQueueTags": false, "PurgeQueue": true, "ReceiveMessage": true, "RemovePermission": true, "SendMessage": true,
		"SendMessageBatch": true, "SetQueueAttributes": true, "StartMessageMoveTask": true, "TagQueue": true, "UntagQueue": true,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?Action="+name, nil))
		if got := strings.Contains(w.Body.String(), "by POST only"); got != refused {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestALongQueryIsRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	handler := sqsserver.NewHandler(b.Engine)
	for length, body := range map[int64]io.Reader{7 << 20: unread{t}, -1: strings.NewReader(strings.Repeat("x", 7<<20))} {
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.ContentLength = length
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "<Code>RequestEntityTooLarge</Code>") {
			t.Errorf("length %d: status %d, %s", length, w.Code, w.Body)
		}
	}
}

func TestAQueryOfOneMebibyteFits(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	body := strings.Repeat("é", 1<<19) // six characters each in a form
	r := httptest.NewRequest(http.MethodPost, "/0/q", strings.NewReader(
		neturl.Values{"Action": {"SendMessage"}, "MessageBody": {body}}.Encode()))
	w := httptest.NewRecorder()
	sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	b.want("q", body)
}

func TestAFailureOfOursInAQuery(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	handler := sqsserver.NewHandler(b.Engine)
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/0/q?Action=SendMessage&MessageBody=x", nil))
		return w
	}
	b.store.fail(lost)
	if w := ask(); w.Code != 500 || !strings.Contains(w.Body.String(), "<Type>Receiver</Type><Code>InternalFailure</Code>") {
		t.Errorf("the store failed: %d %s", w.Code, w.Body)
	}
	b.must(b.Engine.Close())
	if w := ask(); w.Code != 503 || !strings.Contains(w.Body.String(), "<Code>ServiceUnavailable</Code>") {
		t.Errorf("closed: %d %s", w.Code, w.Body)
	}
}
