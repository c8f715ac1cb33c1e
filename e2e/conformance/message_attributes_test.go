package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func value(kind, s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &s}
}

func text(s string) types.MessageAttributeValue { return value("String", s) }

func binaryValue(kind string, b ...byte) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, BinaryValue: b}
}

var every = map[string]types.MessageAttributeValue{
	"text": text("größe 😀"), "number": value("Number", "-1.5e11"), "bytes": binaryValue("Binary", 0, 255, 7),
	"custom-text": value("String.json", "{}"), "custom.number": value("Number.int", "42"), "custom_bytes": binaryValue("Binary.png", 1),
}

var messageAttributeChecks = []check{
	{name: "message-attributes/come-back-as-sent", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(nil)
		out, err := c.sendWith(url, "a", every)
		c.must(err)
		m := c.get1(url)
		equal(c, "MD5OfMessageAttributes, of the send", aws.ToString(out.MD5OfMessageAttributes), md5OfAttributes(every))
		equal(c, "MD5OfMessageAttributes, of the receive", aws.ToString(m.MD5OfMessageAttributes), md5OfAttributes(every))
		if !maps.EqualFunc(m.MessageAttributes, every, sameValue) {
			c.failf("received attributes %v", m.MessageAttributes)
		}
	}},
	{name: "message-attributes/ten-and-not-more", page: "Amazon SQS message metadata", run: func(c *C) {
		url, set := c.queue(nil), map[string]types.MessageAttributeValue{}
		for i := range 10 {
			set[fmt.Sprintf("a%d", i)] = text("v")
		}
		_, err := c.sendWith(url, "a", set)
		c.must(err)
		set["another"] = text("v")
		_, err = c.sendWith(url, "a", set)
		c.refused(err, "InvalidParameterValue")
	}},
	{name: "message-attributes/names-that-are-refused", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(nil)
		for _, name := range []string{"", "a b", "a/b", ".a", "a.", "a..b", "AWS.a", "aws.a", "Amazon.a", "AMAZON.a",
			strings.Repeat("n", 257)} {
			c.refusesAttribute(url, name, text("v"))
		}
	}},
	{name: "message-attributes/names-of-256-characters", page: "Amazon SQS message metadata", run: func(c *C) {
		_, err := c.sendWith(c.queue(nil), "a", map[string]types.MessageAttributeValue{strings.Repeat("n", 256): text("v")})
		c.must(err)
	}},
	{name: "message-attributes/names-that-look-like-the-reserved-ones", page: "Amazon SQS message metadata", run: func(c *C) {
		_, err := c.sendWith(c.queue(nil), "a", map[string]types.MessageAttributeValue{"AWSa": text("v"), "a.AWS.b": text("v")})
		c.must(err)
	}},
	{name: "message-attributes/types-that-are-refused", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(nil)
		for _, kind := range []string{"", "Text", "string", "String-", "StringList", strings.Repeat("String.", 40)} {
			c.refusesAttribute(url, "a", value(kind, "v"))
		}
	}},
	{name: "message-attributes/values-that-are-refused", page: "Amazon SQS message metadata", run: func(c *C) {
		url := c.queue(nil)
		for _, v := range []types.MessageAttributeValue{
			text(""), value("Number", ""), value("Number", "many"), value("Number", "1,5"), binaryValue("Binary"),
			value("Binary", "v"), binaryValue("String", 1), {DataType: aws.String("String")},
		} {
			c.refusesAttribute(url, "a", v)
		}
	}},
	{name: "message-attributes/values-have-the-body's-characters", page: api("MessageAttributeValue"), run: func(c *C) {
		c.refusesAttribute(c.queue(nil), "a", text("\x01"))
	}},
	{name: "message-attributes/lists-are-refused", page: api("MessageAttributeValue"), run: func(c *C) {
		c.refusesAttribute(c.queue(nil), "a", types.MessageAttributeValue{
			DataType: aws.String("String"), StringListValues: []string{"v"}})
	}},
	{name: "message-attributes/only-those-asked-for", page: api("ReceiveMessage"), run: func(c *C) {
		c.wantPicked([]string{"colour", "missing"}, "colour")
		c.wantPicked([]string{"size.*"}, "size.x", "size.y")
		c.wantPicked([]string{"colour", "size.x"}, "colour", "size.x")
		c.wantPicked([]string{".*"}, "colour", "size.x", "size.y")
		c.wantPicked([]string{"All"}, "colour", "size.x", "size.y")
	}},
	{name: "message-attributes/none-unless-asked-for", page: api("ReceiveMessage"), run: func(c *C) {
		c.wantPicked(nil)
	}},
	{name: "message-attributes/names-are-case-sensitive", page: "Amazon SQS message metadata", run: func(c *C) {
		c.wantPicked([]string{"Colour", "SIZE.*"})
	}},
}

func (c *C) sendWith(url, body string, set map[string]types.MessageAttributeValue) (*sqs.SendMessageOutput, error) {
	return c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageAttributes: set})
}

func (c *C) refusesAttribute(url, name string, v types.MessageAttributeValue) {
	c.at = fmt.Sprint(name, " ", aws.ToString(v.DataType), " ", aws.ToString(v.StringValue))
	_, err := c.sendWith(url, "a", map[string]types.MessageAttributeValue{name: v})
	c.refused(err)
}

// wantPicked: of three attributes, a receive that asks for some gets these.
func (c *C) wantPicked(ask []string, want ...string) {
	url := c.queue(nil)
	_, err := c.sendWith(url, "a", map[string]types.MessageAttributeValue{
		"colour": text("blue"), "size.x": value("Number", "1"), "size.y": value("Number", "2")})
	c.must(err)
	out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 5, MessageAttributeNames: ask})
	c.must(err)
	equal(c, "the number of messages", len(out.Messages), 1)
	if got := slices.Sorted(maps.Keys(out.Messages[0].MessageAttributes)); !slices.Equal(got, want) {
		c.failf("asked for %v: received %v, want %v", ask, got, want)
	}
}

func sameValue(a, b types.MessageAttributeValue) bool {
	return aws.ToString(a.DataType) == aws.ToString(b.DataType) && aws.ToString(a.StringValue) == aws.ToString(b.StringValue) &&
		bytes.Equal(a.BinaryValue, b.BinaryValue)
}

// md5OfAttributes is the digest as "Amazon SQS message metadata" tells how to
// calculate it.
func md5OfAttributes(set map[string]types.MessageAttributeValue) string {
	var all strings.Builder
	add := func(s string) {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(s)))
		all.Write(length[:])
		all.WriteString(s)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		add(name)
		add(*set[name].DataType)
		if b := set[name].BinaryValue; b != nil {
			all.WriteByte(2)
			add(string(b))
		} else {
			all.WriteByte(1)
			add(*set[name].StringValue)
		}
	}
	return md5Of(all.String())
}
