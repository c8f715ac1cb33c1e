package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const maxSize = 1 << 20

var sendChecks = []check{
	{name: "send/gives-the-id-and-digest", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		body := "größe, 😀, \t\r\n and {\"json\": \"<xml>&amp;\"}"
		out, err := c.try(url, body)
		c.must(err)
		equal(c, "MD5OfMessageBody", aws.ToString(out.MD5OfMessageBody), md5Of(body))
		if out.MD5OfMessageAttributes != nil || out.SequenceNumber != nil {
			c.failf("a message without attributes on a standard queue has digest %v and number %v",
				aws.ToString(out.MD5OfMessageAttributes), aws.ToString(out.SequenceNumber))
		}
		m := c.want(url, body)[0]
		equal(c, "MessageId", *m.MessageId, *out.MessageId)
		equal(c, "MD5OfBody", *m.MD5OfBody, md5Of(body))
	}},
	{name: "send/ids-differ", page: "Queue and message identifiers in Amazon SQS", run: func(c *C) {
		url := c.queue(nil)
		first, err := c.try(url, "a")
		c.must(err)
		second, err := c.try(url, "a")
		c.must(err)
		if *first.MessageId == *second.MessageId || len(*first.MessageId) > 100 {
			c.failf("the ids are %s and %s", *first.MessageId, *second.MessageId)
		}
	}},
	{name: "send/every-allowed-character", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		body := "\t\n\r \u007f\u0085\ud7ff\ue000\ufffd\U00010000\U0010ffff"
		c.send(url, body)
		c.want(url, body)
	}},
	{name: "send/other-characters-are-InvalidMessageContents", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		for _, character := range []string{"\x00", "\x01", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\ufffe", "\uffff"} {
			c.at = character
			_, err := c.try(url, "a"+character)
			fails[*types.InvalidMessageContents](c, err)
		}
	}},
	{name: "send/a-body-has-one-character-at-least", page: api("SendMessage"), run: func(c *C) {
		_, err := c.try(c.queue(nil), "")
		c.refused(err)
	}},
	{name: "send/to-no-queue-is-QueueDoesNotExist", page: api("SendMessage"), run: func(c *C) {
		_, err := c.try(c.queue(nil)+"-missing", "a")
		fails[*types.QueueDoesNotExist](c, err)
	}},
	{name: "send/1-MiB-and-not-more", page: "Amazon SQS message quotas", run: func(c *C) {
		url := c.queue(nil)
		_, err := c.try(url, strings.Repeat("a", maxSize+1))
		c.refused(err, "InvalidParameterValue")
		body := strings.Repeat("a", maxSize)
		c.send(url, body)
		if got := *c.get1(url).Body; got != body {
			c.failf("received %d bytes that differ from the %d sent", len(got), len(body))
		}
	}},
	{name: "send/size-is-in-bytes", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(attrs{"MaximumMessageSize": "1024"})
		_, err := c.try(url, strings.Repeat("ä", 513))
		c.refused(err, "InvalidParameterValue")
		c.send(url, strings.Repeat("ä", 512))
	}},
	{name: "send/attributes-count-towards-the-size", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(attrs{"MaximumMessageSize": "1024"})
		// "name", "String" and "value" weigh 15 bytes.
		set := map[string]types.MessageAttributeValue{"name": text("value")}
		_, err := c.sendWith(url, strings.Repeat("a", 1024-15+1), set)
		c.refused(err, "InvalidParameterValue")
		_, err = c.sendWith(url, strings.Repeat("a", 1024-15), set)
		c.must(err)
	}},
	{name: "send/the-trace-header-does-not-count-towards-the-size", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(attrs{"MaximumMessageSize": "1024"})
		_, err := c.sendTraced(url, strings.Repeat("a", 1024))
		c.must(err)
	}},
	{name: "send/the-trace-header", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(nil)
		out, err := c.sendTraced(url, "a")
		c.must(err)
		equal(c, "MD5OfMessageSystemAttributes", aws.ToString(out.MD5OfMessageSystemAttributes),
			md5OfAttributes(map[string]types.MessageAttributeValue{"AWSTraceHeader": text(trace)}))
		equal(c, "AWSTraceHeader", c.get1(url).Attributes["AWSTraceHeader"], trace)
	}},
	{name: "send/the-trace-header-is-a-string", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url,
			MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
				"AWSTraceHeader": {DataType: aws.String("Binary"), BinaryValue: []byte("a")}}})
		c.refused(err)
	}},
	{name: "send/no-other-system-attribute", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url,
			MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
				"SentTimestamp": {DataType: aws.String("String"), StringValue: aws.String("1")}}})
		c.refused(err)
	}},
	{name: "send/deduplication-ids-are-for-fifo-queues", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url, MessageDeduplicationId: aws.String("a")})
		c.refused(err, "InvalidParameterValue")
	}},
}

const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

func (c *C) sendTraced(url, body string) (*sqs.SendMessageOutput, error) {
	return c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body,
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(trace)}}})
}

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}
