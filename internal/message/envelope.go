package message

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// envelope is how some sender wraps what it is given, or its own event: by the
// keys that tell it, some of them with their values.
type envelope struct {
	keys []string // name, or name=value for a string
	what string   // what it is, and how to get the message alone
}

// envelopes are looked through in this order. Sources: "Parsing Amazon SNS message
// formats", "AWS service event metadata" of EventBridge, CloudEvents 1.0.2 (JSON
// format), "Event message structure" of S3, "Asynchronous invocation" of Lambda
// (destinations), "Using Lambda with Amazon SQS" (its records, and Pipes').
var envelopes = []envelope{
	{[]string{"Type=Notification", "Message", "TopicArn"},
		"is an SNS notification with the message in it: enable raw message delivery on the queue's subscription (RawMessageDelivery=true)"},
	{[]string{"Type=SubscriptionConfirmation", "TopicArn"}, "is SNS's question whether to subscribe, and no message"},
	{[]string{"detail-type", "source", "detail"},
		"is an EventBridge event: give the rule's target an input transformer that makes the message of it, " +
			"or the input path $.detail where the detail is the message"},
	{[]string{"specversion", "type", "source"},
		"is a CloudEvent: put a message on the queue that has the event, or its data, as its body"},
	{[]string{"Service=Amazon S3", "Event=s3:TestEvent"}, "is S3's test of its event notifications, and no message"},
	{[]string{"Records"},
		"is a list of Records, as S3 event notifications have it: have S3 tell EventBridge, and a rule with an input transformer " +
			"make the message of that"},
	{[]string{"requestContext", "requestPayload", "responsePayload"},
		"is the record of a Lambda destination: have the function send the message itself"},
	{[]string{"messageId", "receiptHandle", "body"},
		"is a record of another queue, with the message in its body: give the pipe's target the input template <$.body>"},
	{[]string{"channel", "recipient", "body"}, "is a notification: it belongs on the queue notifications"},
	{[]string{"url", "secret", "event_type", "body"}, "is a webhook: it belongs on the queue webhooks"},
}

// misplaced says what data is, where it can't be meant as a message of the queue
// that it is on, and what to switch on or off so that the message comes alone. It
// is "" where it can't tell. own are the fields of the queue's own messages.
func misplaced(data []byte, own []string) string {
	data = bytes.TrimLeft(data, " \t\r\n")
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "begins with a byte order mark (EF BB BF): leave it out"
	case bytes.HasPrefix(data, []byte(`"`)):
		if text, err := jsontext.AppendUnquote(nil, bytes.TrimRight(data, " \t\r\n")); err == nil && isObject(text) {
			return "is JSON within a JSON string: it was encoded twice; encode it once"
		}
	case bytes.HasPrefix(data, []byte(`[`)):
		return "must be a JSON object, not an array: send each message by itself (SendMessageBatch takes ten)"
	case bytes.HasPrefix(data, []byte(`{`)):
		return enveloped(data, own)
	case isBase64(data):
		return "is JSON in base64: send it as it is, without an encoding"
	}
	return ""
}

func isObject(data []byte) bool {
	v := jsontext.Value(data)
	return v.Kind() == jsontext.KindBeginObject && v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func isBase64(data []byte) bool {
	text := strings.TrimRight(strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/").Replace(string(data)), "= ")
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil && isObject(decoded)
}

// enveloped tells an object by its keys: all of an envelope's are there, and not
// all that the queue's own messages must have.
func enveloped(data []byte, own []string) string {
	has := members(data)
	all := func(keys []string) bool {
		for _, key := range keys {
			if !has[key] {
				return false
			}
		}
		return true
	}
	if all(own) {
		return ""
	}
	for _, e := range envelopes {
		if all(e.keys) {
			return e.what
		}
	}
	return ""
}

// members are an object's keys, and of those with short texts key=text too. What
// follows where it ends being JSON is left out.
func members(data []byte) map[string]bool {
	has := map[string]bool{}
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := d.ReadToken(); err != nil {
		return has
	}
	for d.PeekKind() == jsontext.KindString {
		token, err := d.ReadToken()
		if err != nil {
			return has
		}
		key := token.String() // before the next read, which ends token's life
		value, err := d.ReadValue()
		if err != nil {
			return has
		}
		has[key] = true
		if value.Kind() == jsontext.KindString && len(value) < 64 {
			has[key+"="+string(value[1:len(value)-1])] = true
		}
	}
	return has
}
