package conformance

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var attributeChecks = []check{
	{name: "attributes/only-those-asked-for", page: api("GetQueueAttributes"), run: func(c *C) {
		out, err := c.named(c.queue(nil), "VisibilityTimeout", "QueueArn")
		c.must(err)
		equal(c, "the number of attributes", len(out.Attributes), 2)
		equal(c, "VisibilityTimeout", out.Attributes["VisibilityTimeout"], "30")
	}},
	{name: "attributes/none-asked-for", page: api("GetQueueAttributes"), run: func(c *C) {
		out, err := c.named(c.queue(nil))
		c.must(err)
		equal(c, "the number of attributes", len(out.Attributes), 0)
	}},
	{name: "attributes/one-that-is-not-set-is-left-out", page: api("GetQueueAttributes"), run: func(c *C) {
		out, err := c.named(c.queue(nil), "RedrivePolicy")
		c.must(err)
		equal(c, "the number of attributes", len(out.Attributes), 0)
	}},
	{name: "attributes/an-unknown-name-is-InvalidAttributeName", page: api("GetQueueAttributes"), run: func(c *C) {
		_, err := c.named(c.queue(nil), "Colour")
		fails[*types.InvalidAttributeName](c, err)
	}},
	{name: "attributes/of-no-queue-is-QueueDoesNotExist", page: api("GetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil) + "-missing"
		_, err := c.named(url, "All")
		fails[*types.QueueDoesNotExist](c, err)
		fails[*types.QueueDoesNotExist](c, c.set(url, attrs{"DelaySeconds": "1"}))
	}},
	{name: "attributes/the-arn-names-the-queue", page: api("GetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		arn := strings.Split(c.arn(url), ":")
		if len(arn) != 6 || arn[0] != "arn" || arn[2] != "sqs" || arn[3] != "us-east-1" || arn[5] != nameOf(url) {
			c.failf("the ARN is %v", arn)
		}
	}},
	{name: "attributes/timestamps-are-in-seconds", page: api("GetQueueAttributes"), run: func(c *C) {
		got := c.attributes(c.queue(nil))
		for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
			seconds, err := strconv.ParseInt(got[name], 10, 64)
			c.must(err)
			c.isNow(name, time.Unix(seconds, 0))
		}
	}},
	{name: "attributes/LastModifiedTimestamp-is-the-last-set", page: api("GetQueueAttributes"), passes: time.Hour, run: func(c *C) {
		url := c.queue(nil)
		created := c.attribute(url, "CreatedTimestamp")
		c.pass(time.Hour)
		c.must(c.set(url, attrs{"DelaySeconds": "1"}))
		equal(c, "CreatedTimestamp", c.attribute(url, "CreatedTimestamp"), created)
		equal(c, "LastModifiedTimestamp", c.attribute(url, "LastModifiedTimestamp"), strconv.FormatInt(c.now().Unix(), 10))
	}},
	{name: "attributes/counts", page: api("GetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a", "b", "c")
		out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 5})
		c.must(err)
		equal(c, "the number of messages", len(out.Messages), 1)
		_, err = c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url, DelaySeconds: 900})
		c.must(err)
		c.until("the counts are 2 visible, 1 in flight, 1 delayed", func() bool { return c.counts(url) == [3]string{"2", "1", "1"} })
	}},
	{name: "attributes/those-not-set-stay", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "40", "DelaySeconds": "5"})
		c.must(c.set(url, attrs{"DelaySeconds": "6"}))
		equal(c, "VisibilityTimeout", c.attribute(url, "VisibilityTimeout"), "40")
		equal(c, "DelaySeconds", c.attribute(url, "DelaySeconds"), "6")
	}},
	{name: "attributes/all-or-none-are-set", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		fails[*types.InvalidAttributeValue](c, c.set(url, attrs{"DelaySeconds": "6", "VisibilityTimeout": "many"}))
		equal(c, "DelaySeconds", c.attribute(url, "DelaySeconds"), "0")
	}},
	{name: "attributes/unknown-ones-are-not-set", page: api("SetQueueAttributes"), run: func(c *C) {
		fails[*types.InvalidAttributeName](c, c.set(c.queue(nil), attrs{"Colour": "blue"}))
	}},
	{name: "attributes/read-only-ones-are-not-set", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		for _, name := range []string{"QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages"} {
			c.refused(c.set(url, attrs{name: "1"}))
		}
	}},
	{name: "attributes/a-queue-stays-fifo-or-standard", page: api("CreateQueue"), run: func(c *C) {
		c.refused(c.set(c.queue(nil), attrs{"FifoQueue": "true"}))
		c.refused(c.set(c.fifo(nil), attrs{"FifoQueue": "false"}))
	}},
	{name: "attributes/content-based-deduplication-can-be-switched", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.fifo(nil)
		c.must(c.set(url, attrs{"ContentBasedDeduplication": "true"}))
		equal(c, "ContentBasedDeduplication", c.attribute(url, "ContentBasedDeduplication"), "true")
		fails[*types.InvalidAttributeValue](c, c.set(url, attrs{"ContentBasedDeduplication": "perhaps"}))
	}},
	{name: "attributes/an-empty-redrive-policy-takes-it-away", page: "Using dead-letter queues in Amazon SQS", run: func(c *C) {
		url := c.queue(c.redriveTo(c.queue(nil), 3))
		c.must(c.set(url, attrs{"RedrivePolicy": ""}))
		equal(c, "RedrivePolicy", c.attribute(url, "RedrivePolicy"), "")
	}},
}

func (c *C) named(url string, names ...types.QueueAttributeName) (*sqs.GetQueueAttributesOutput, error) {
	return c.GetQueueAttributes(c.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
}

// isNow allows for clocks that differ.
func (c *C) isNow(what string, at time.Time) {
	if d := c.now().Sub(at).Abs(); d > time.Minute {
		c.failf("%s is %v away from now", what, d)
	}
}
