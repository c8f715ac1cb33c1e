//lint:file-ignore SA1019 older clients still send AttributeNames

package sqsserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestAMessageIsHiddenUntilItsTimeoutAndThenGoneForGood(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", attributes{"VisibilityTimeout": "30"})
	b.send("q", "a", "b")
	first := b.want("q", "a", "b")
	b.wantCounts("q", 0, 2, 0)
	b.advance(29 * time.Second)
	b.want("q")
	b.advance(time.Second)
	b.wantCounts("q", 2, 0, 0)
	second := b.want("q", "a", "b")
	if *first[0].ReceiptHandle == *second[0].ReceiptHandle {
		t.Fatal("two receives gave the same handle")
	}
	if n := second[0].Attributes["ApproximateReceiveCount"]; n != "2" {
		t.Fatalf("received %s times", n)
	}
	b.delete("q", first...) // old handles: no error, no effect
	b.wantCounts("q", 0, 2, 0)
	b.delete("q", second...)
	b.delete("q", second...)
	b.wantCounts("q", 0, 0, 0)
	if b.store.rows() != 0 {
		t.Fatal("rows are left")
	}
}

func TestADeleteAfterTheTimeoutDeletes(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "a")
	m := b.want("q", "a")
	b.advance(time.Minute)
	b.wantCounts("q", 1, 0, 0)
	b.delete("q", m...)
	b.wantCounts("q", 0, 0, 0)
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before  func(b *bundle, m types.Message) types.Message // what happens to m first
		seconds int32
		code    string
		visible time.Duration // when it is visible, if code is ""
	}{
		"at once":     {nil, 0, "", 0},
		"shorter":     {nil, 5, "", 5 * time.Second},
		"longer":      {nil, 100, "", 100 * time.Second},
		"the longest": {nil, 43200, "", 12 * time.Hour},
		"too long":    {nil, 43201, "InvalidParameterValue", 0},
		"negative":    {nil, -1, "InvalidParameterValue", 0},
		"beyond twelve hours in all": {func(b *bundle, m types.Message) types.Message {
			b.advance(time.Second)
			return m
		}, 43200, "InvalidParameterValue", 0},
		"beyond twelve hours in all, over a restart": {func(b *bundle, m types.Message) types.Message {
			b.advance(time.Second)
			b.restart()
			return m
		}, 43200, "InvalidParameterValue", 0},
		"not in flight any more": {func(b *bundle, m types.Message) types.Message {
			b.advance(time.Minute)
			return m
		}, 5, "", 5 * time.Second},
		"not in flight any more, at once": {func(b *bundle, m types.Message) types.Message {
			b.advance(time.Minute)
			return m
		}, 0, "", 0},
		"received again": {func(b *bundle, m types.Message) types.Message {
			b.advance(time.Minute)
			b.want("q", "a")
			return m
		}, 5, "", 5 * time.Second},
		"made visible, over a restart": {func(b *bundle, m types.Message) types.Message {
			b.must(b.change("q", m, 0))
			b.must(b.change("q", m, 9))
			b.restart()
			return m
		}, 5, "", 5 * time.Second},
		"deleted": {func(b *bundle, m types.Message) types.Message {
			b.delete("q", m)
			return m
		}, 5, "InvalidParameterValue", 0},
		"garbage": {func(_ *bundle, m types.Message) types.Message {
			m.ReceiptHandle = aws.String("garbage")
			return m
		}, 5, "ReceiptHandleIsInvalid", 0},
		"of another queue": {func(b *bundle, _ types.Message) types.Message {
			b.create("other", nil)
			b.send("other", "x")
			return b.want("other", "x")[0]
		}, 5, "ReceiptHandleIsInvalid", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", nil)
			b.send("q", "a")
			m := b.want("q", "a")[0]
			if c.before != nil {
				m = c.before(b, m)
			}
			err := b.change("q", m, c.seconds)
			if c.code != "" {
				b.wantCode(err, c.code)
				return
			}
			b.must(err)
			if c.visible > 0 {
				b.advance(c.visible - time.Millisecond)
				b.want("q")
				b.advance(time.Millisecond)
			}
			b.want("q", "a")
		})
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", attributes{"DelaySeconds": "10"})
	b.send("q", "queue's delay")
	_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("own delay"), DelaySeconds: 5})
	b.must(err)
	b.wantCounts("q", 0, 0, 2)
	b.advance(5 * time.Second)
	b.want("q", "own delay")
	b.advance(5 * time.Second)
	b.want("q", "queue's delay")
}

func TestRetention(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", attributes{"MessageRetentionPeriod": "60"})
	b.send("q", "received", "waiting")
	out, err := b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), VisibilityTimeout: 600})
	b.must(err)
	b.advance(59 * time.Second)
	b.wantCounts("q", 1, 1, 0)
	b.advance(time.Second)
	b.wantCounts("q", 0, 0, 0)
	b.delete("q", out.Messages...)
	b.send("q", "next") // a write takes the old rows along
	if n := b.store.rows(); n != 1 {
		t.Fatalf("%d rows", n)
	}
	b.advance(time.Hour)
	b.restart()
	b.want("q")
}

func TestWhatAReceiverSees(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	sent, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: url("q"), MessageBody: aws.String("héllo\t\r\n\U0001F600"), MessageGroupId: aws.String("tenant"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"timestamp": {DataType: aws.String("Number"), StringValue: aws.String("1493147359900")},
			"foo.bin":   {DataType: aws.String("Binary.x"), BinaryValue: []byte{0, 1, 255}},
			"foo.text":  {DataType: aws.String("String"), StringValue: aws.String("x")},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
		},
	})
	b.must(err)
	b.advance(1500 * time.Millisecond)
	b.restart() // what is read from the store is the same
	for name, c := range map[string]struct {
		in         sqs.ReceiveMessageInput
		system     map[string]string
		attributes []string
		md5        string
	}{
		"nothing asked for": {sqs.ReceiveMessageInput{}, nil, nil, ""},
		"some": {sqs.ReceiveMessageInput{
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{"SentTimestamp"},
			AttributeNames:              []types.QueueAttributeName{"SenderId"},
			MessageAttributeNames:       []string{"timestamp", "nope"},
		}, map[string]string{"SentTimestamp": "1795521600000", "SenderId": "000000000000"},
			// Known answer: moto, tests/test_sqs/test_sqs.py.
			[]string{"timestamp"}, "235c5c510d26fb653d073faed50ae77c"},
		"a prefix": {sqs.ReceiveMessageInput{MessageAttributeNames: []string{"foo.*"}}, nil, []string{"foo.bin", "foo.text"}, ""},
		"everything": {sqs.ReceiveMessageInput{AttributeNames: []types.QueueAttributeName{"All"}, MessageAttributeNames: []string{"All"}},
			map[string]string{"SentTimestamp": "1795521600000", "SenderId": "000000000000", "MessageGroupId": "tenant",
				"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}, []string{"timestamp", "foo.bin", "foo.text"},
			*sent.MD5OfMessageAttributes},
	} {
		c.in.QueueUrl = url("q")
		out, err := b.ReceiveMessage(t.Context(), &c.in)
		b.must(err)
		m := out.Messages[0]
		b.must(b.change("q", m, 0))
		if *m.Body != "héllo\t\r\n\U0001F600" || *m.MD5OfBody != *sent.MD5OfMessageBody || *m.MessageId != *sent.MessageId {
			t.Errorf("%s: got %+v", name, m)
		}
		for k, v := range c.system {
			if m.Attributes[k] != v {
				t.Errorf("%s: %s is %q", name, k, m.Attributes[k])
			}
		}
		if c.system == nil && m.Attributes != nil || len(m.MessageAttributes) != len(c.attributes) {
			t.Errorf("%s: got %v, %v", name, m.Attributes, m.MessageAttributes)
		}
		for _, k := range c.attributes {
			if _, ok := m.MessageAttributes[k]; !ok {
				t.Errorf("%s: no %s", name, k)
			}
		}
		if c.md5 != "" && aws.ToString(m.MD5OfMessageAttributes) != c.md5 {
			t.Errorf("%s: digest %s", name, aws.ToString(m.MD5OfMessageAttributes))
		}
	}
}

func TestSendsThatAreRefused(t *testing.T) {
	t.Parallel()
	text := func(kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}
	}
	named := func(name string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{name: {DataType: aws.String("String"), StringValue: aws.String("x")}}
	}
	many := map[string]types.MessageAttributeValue{}
	for _, c := range "abcdefghijk" {
		many[string(c)] = text("String", "x")["a"]
	}
	b := newBundle(t)
	b.create("q", attributes{"MaximumMessageSize": "1024"})
	b.create("f.fifo", nil)
	for name, c := range map[string]struct {
		in   sqs.SendMessageInput
		code string
	}{
		"no body":             {sqs.SendMessageInput{}, "MissingParameter"},
		"a control character": {sqs.SendMessageInput{MessageBody: aws.String("a\x00")}, "InvalidMessageContents"},
		"U+FFFF":              {sqs.SendMessageInput{MessageBody: aws.String("a\uFFFF")}, "InvalidMessageContents"},
		"no UTF-8":            {sqs.SendMessageInput{MessageBody: aws.String("a\xff")}, "InvalidMessageContents"},
		"too long":            {sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1025))}, "InvalidParameterValue"},
		"too long with attributes": {sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1020)),
			MessageAttributes: text("String", "x")}, "InvalidParameterValue"},
		"delay too long":    {sqs.SendMessageInput{MessageBody: aws.String("x"), DelaySeconds: 901}, "InvalidParameterValue"},
		"eleven attributes": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: many}, "InvalidParameterValue"},
		"an empty value": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: text("String", "")},
			"InvalidParameterValue"},
		"no number": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: text("Number", "x")},
			"InvalidParameterValue"},
		"an unknown type": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: text("Float", "1")},
			"InvalidParameterValue"},
		"binary as text": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: text("Binary", "1")},
			"InvalidParameterValue"},
		"a value's control character": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: text("String", "\x01")},
			"InvalidParameterValue"},
		"a reserved name":  {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: named("aWs.x")}, "InvalidParameterValue"},
		"a name with dots": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: named("a..x")}, "InvalidParameterValue"},
		"an odd name":      {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: named("a b")}, "InvalidParameterValue"},
		"another system attribute": {sqs.SendMessageInput{MessageBody: aws.String("x"),
			MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
				"X": {DataType: aws.String("String"), StringValue: aws.String("x")}}}, "InvalidParameterValue"},
		"deduplication on a standard queue": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageDeduplicationId: aws.String("x")},
			"InvalidParameterValue"},
		"an odd group": {sqs.SendMessageInput{MessageBody: aws.String("x"), MessageGroupId: aws.String("a b")},
			"InvalidParameterValue"},
		"an unknown queue": {sqs.SendMessageInput{MessageBody: aws.String("x"), QueueUrl: url("nope")},
			"AWS.SimpleQueueService.NonExistentQueue"},
		"no queue": {sqs.SendMessageInput{MessageBody: aws.String("x"), QueueUrl: aws.String("")}, "MissingParameter"},
		"FIFO without a group": {sqs.SendMessageInput{MessageBody: aws.String("x"), QueueUrl: url("f.fifo"),
			MessageDeduplicationId: aws.String("x")}, "MissingParameter"},
		"FIFO without deduplication": {sqs.SendMessageInput{MessageBody: aws.String("x"), QueueUrl: url("f.fifo"),
			MessageGroupId: aws.String("x")}, "InvalidParameterValue"},
		"FIFO with a delay": {sqs.SendMessageInput{MessageBody: aws.String("x"), QueueUrl: url("f.fifo"), MessageGroupId: aws.String("x"),
			MessageDeduplicationId: aws.String("x"), DelaySeconds: 1}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.QueueUrl == nil {
				c.in.QueueUrl = url("q")
			}
			_, err := b.SendMessage(t.Context(), &c.in)
			(&bundle{t: t}).wantCode(err, c.code)
		})
	}
	if b.store.rows() != 0 {
		t.Fatal("something was sent")
	}
}
