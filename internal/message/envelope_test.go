package message_test

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

const (
	aWebhook = `{"id":"evt_1","url":"https://a.test/in","secret":"efferent/webhooks/acme","event_type":"invoice.paid","body":{"s3cret":1}}`
	aNotice  = `{"id":"n_1","channel":"email","recipient":"ann@acme.test","body":"s3cret"}`
)

// TestEnvelopes has every reader told what each wrapped message is, and what to do.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	quoted := strconv.Quote(aWebhook)
	for _, c := range []struct{ name, data, says string }{
		{"SNS", `{"Type":"Notification","MessageId":"22b80b92","TopicArn":"arn:aws:sns:eu-north-1:111122223333:events","Message":` + quoted +
			`,"Timestamp":"2026-11-24T08:00:00.000Z","SignatureVersion":"1","Signature":"EXAMPLE","SigningCertURL":"https://sns.test/x.pem",` +
			`"UnsubscribeURL":"https://sns.test/out"}`, "SNS notification with the message in it: enable raw message delivery"},
		{"SNS, keys in another order", ` {"Message":` + quoted + `,"TopicArn":"arn","Type":"Notification"} `, "enable raw message delivery"},
		{"SNS's confirmation", `{"Type":"SubscriptionConfirmation","TopicArn":"arn","Token":"t","Message":"You have chosen"}`, "no message"},
		{"EventBridge", `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"Invoice paid","source":"billing","account":` +
			`"111122223333","time":"2026-11-24T08:00:00Z","region":"eu-north-1","resources":[],"detail":` + aWebhook + `}`, "input transformer"},
		{"CloudEvents", `{"specversion":"1.0","id":"1","type":"invoice.paid","source":"/billing","data":{"s3cret":1}}`, "is a CloudEvent"},
		{"S3", `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","s3":{"object":{"key":"s3cret"}}}]}`, "have S3 tell EventBridge"},
		{"S3's test", `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`, "S3's test"},
		{"a Lambda destination", `{"version":"1.0","requestContext":{},"requestPayload":{},"responsePayload":` + aWebhook + `}`,
			"Lambda destination"},
		{"a pipe's record", `{"messageId":"m","receiptHandle":"r","body":` + quoted + `,"attributes":{}}`, "<$.body>"},
		{"encoded twice", quoted, "encoded twice"},
		{"encoded twice, with space around", "\n " + quoted + "\n", "encoded twice"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(aWebhook)), "JSON in base64"},
		{"base64 for URLs, without padding", base64.RawURLEncoding.EncodeToString([]byte(`{"a":"` + strings.Repeat("??>", 9) + `"}`)),
			"JSON in base64"},
		{"base64 in lines", "eyJh\r\nIjox\r\nfQ==\r\n", "JSON in base64"},
		{"a batch", `[` + aWebhook + `,` + aWebhook + `]`, "send each message by itself"},
		{"a byte order mark", "\ufeff" + aWebhook, "byte order mark"},
		{"a text", `"s3cret"`, "must be a JSON object, not a string"},
		{"no JSON", "s3cret", "is not valid JSON"},
		{"nearly SNS", `{"Type":"Other","Message":"s3cret","TopicArn":"arn"}`, `field "Type": unknown`},
	} {
		for reader, decode := range map[string]func([]byte) error{
			"webhook":      func(b []byte) error { _, err := webhook.Decode(b); return err },
			"notification": func(b []byte) error { _, err := channel.Decode(b); return err },
		} {
			err := decode([]byte(c.data))
			if !errors.Is(err, message.ErrMalformed) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s as a %s: got %v, want %q", c.name, reader, err, c.says)
			}
		}
	}
}

// TestTheOtherQueue: each reader knows the other's message.
func TestTheOtherQueue(t *testing.T) {
	t.Parallel()
	if _, err := webhook.Decode([]byte(aNotice)); err == nil || !strings.Contains(err.Error(), "belongs on the queue notifications") {
		t.Errorf("a notification as a webhook: %v", err)
	}
	if _, err := channel.Decode([]byte(aWebhook)); err == nil || !strings.Contains(err.Error(), "belongs on the queue webhooks") {
		t.Errorf("a webhook as a notification: %v", err)
	}
	// What is a message of its own queue stays one, whatever else is in it.
	more := strings.TrimSuffix(aWebhook, "}") + `,"Records":[],"detail-type":"a","detail":1,"source":"b"}`
	if _, err := webhook.Decode([]byte(more)); err == nil || !strings.Contains(err.Error(), `field "Records": unknown`) {
		t.Errorf("a webhook with more in it: %v", err)
	}
}
