package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const exactlyOnce = "Exactly-once processing in Amazon SQS"

var dedupChecks = []check{
	{name: "dedup/by-id", page: exactlyOnce, run: func(c *C) {
		url := c.fifo(nil)
		c.sendAs(url, "g", "d", "a")
		c.sendAs(url, "g", "d", "b")
		c.want(url, "a")
		c.sendAs(url, "g", "e", "c")
		equal(c, "the counts", c.counts(url), [3]string{"1", "1", "0"})
	}},
	{name: "dedup/a-repeat-gets-the-id-of-the-first", page: exactlyOnce, run: func(c *C) {
		url := c.fifo(nil)
		first, err := c.tryFIFO(url, "g", "d", "a")
		c.must(err)
		again, err := c.tryFIFO(url, "g", "d", "a")
		c.must(err)
		equal(c, "MessageId", *again.MessageId, *first.MessageId)
	}},
	{name: "dedup/also-of-what-is-deleted", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(nil)
		c.sendAs(url, "g", "d", "a")
		c.delete(url, c.get1(url))
		c.sendAs(url, "g", "d", "a")
		equal(c, "the counts", c.counts(url), [3]string{"0", "0", "0"})
		c.none(url)
	}},
	{name: "dedup/for-five-minutes", page: exactlyOnce, passes: 5 * time.Minute, run: func(c *C) {
		url := c.fifo(nil)
		c.sendAs(url, "g", "d", "a")
		c.delete(url, c.get1(url))
		c.pass(5*time.Minute - time.Second)
		c.sendAs(url, "g", "d", "b")
		c.none(url)
		c.pass(time.Second)
		c.sendAs(url, "g", "d", "c")
		c.want(url, "c")
	}},
	{name: "dedup/across-groups", page: exactlyOnce, run: func(c *C) {
		url := c.fifo(nil)
		c.sendAs(url, "x", "d", "a")
		c.sendAs(url, "y", "d", "b")
		c.want(url, "a")
		c.none(url)
	}},
	{name: "dedup/by-group", page: "High throughput for FIFO queues in Amazon SQS", run: func(c *C) {
		url := c.fifo(attrs{"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
		c.sendAs(url, "x", "d", "a")
		c.sendAs(url, "y", "d", "b")
		c.sendAs(url, "x", "d", "c")
		if got := bodiesOf(c.get(url, 2)); !sameSet(got, []string{"a", "b"}) {
			c.failf("received %q", got)
		}
	}},
	{name: "dedup/in-a-batch", page: exactlyOnce, run: func(c *C) {
		url := c.fifo(nil)
		list := entries("a", "b", "c")
		for i, id := range []string{"d", "d", "e"} {
			list[i].MessageGroupId, list[i].MessageDeduplicationId = aws.String("g"), &id
		}
		out, err := c.sendBatch(url, list)
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 3)
		c.want(url, "a", "c")
	}},
	{name: "dedup/an-id-is-needed", page: api("SendMessage"), run: func(c *C) {
		_, err := c.tryFIFO(c.fifo(nil), "g", "", "a")
		c.refused(err, "InvalidParameterValue")
	}},
	{name: "dedup/by-content", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		for _, body := range []string{"a", "a", "b"} {
			c.sendAs(url, "g", "", body)
		}
		m := c.want(url, "a", "b")[0]
		equal(c, "MessageDeduplicationId", m.Attributes["MessageDeduplicationId"], sha256Of("a"))
	}},
	{name: "dedup/by-content-does-not-look-at-attributes", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		list := entries("a", "a")
		for i := range list {
			list[i].MessageGroupId = aws.String("g")
		}
		list[1].MessageAttributes = map[string]types.MessageAttributeValue{"n": text("v")}
		_, err := c.sendBatch(url, list)
		c.must(err)
		c.want(url, "a")
		c.none(url)
		equal(c, "the counts", c.counts(url), [3]string{"0", "1", "0"})
	}},
	{name: "dedup/an-id-goes-before-the-content", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		c.sendAs(url, "g", "d", "a")
		c.sendAs(url, "g", "e", "a")
		c.want(url, "a", "a")
	}},
	{name: "dedup/an-id-can-be-that-of-a-content", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		c.sendAs(url, "g", "", "a")
		c.sendAs(url, "g", sha256Of("a"), "b")
		c.want(url, "a")
		equal(c, "the counts", c.counts(url), [3]string{"0", "1", "0"})
	}},
}

// sendAs sends one message with a deduplication id, unless it is empty.
func (c *C) sendAs(url, group, dedup, body string) {
	_, err := c.tryFIFO(url, group, dedup, body)
	c.must(err)
}

func sha256Of(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
