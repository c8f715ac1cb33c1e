package conformance

import (
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var createChecks = []check{
	{name: "create/gives-the-url-of-a-queue-that-works", page: api("CreateQueue"), run: func(c *C) {
		name := c.name()
		url, err := c.create(name, nil)
		c.must(err)
		equal(c, "the last part of the URL", nameOf(url), name)
		c.send(url, "a")
		c.want(url, "a")
	}},
	{name: "create/the-same-again-is-the-same-queue", page: api("CreateQueue"), run: func(c *C) {
		name, set := c.name(), attrs{"VisibilityTimeout": "40", "DelaySeconds": "0"}
		first, err := c.create(name, set)
		c.must(err)
		second, err := c.create(name, set)
		c.must(err)
		equal(c, "the second URL", second, first)
	}},
	{name: "create/defaults-may-be-given-for-a-queue-that-has-them", page: api("CreateQueue"), run: func(c *C) {
		first := c.queue(nil)
		second, err := c.create(nameOf(first), attrs{"VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "0"})
		c.must(err)
		equal(c, "the second URL", second, first)
	}},
	{name: "create/another-value-is-QueueNameExists", page: api("CreateQueue"), run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "40"})
		_, err := c.create(nameOf(url), attrs{"VisibilityTimeout": "41"})
		fails[*types.QueueNameExists](c, err)
		equal(c, "VisibilityTimeout", c.attribute(url, "VisibilityTimeout"), "40")
	}},
	{name: "create/values-that-differ-from-defaults-are-QueueNameExists", page: api("CreateQueue"), run: func(c *C) {
		_, err := c.create(nameOf(c.queue(nil)), attrs{"DelaySeconds": "1"})
		fails[*types.QueueNameExists](c, err)
	}},
	{name: "create/the-attributes-set-since-count", page: api("CreateQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.set(url, attrs{"VisibilityTimeout": "7"}))
		_, err := c.create(nameOf(url), attrs{"VisibilityTimeout": "30"})
		fails[*types.QueueNameExists](c, err)
		_, err = c.create(nameOf(url), attrs{"VisibilityTimeout": "7"})
		c.must(err)
	}},
	{name: "create/names-that-are-refused", page: api("CreateQueue"), run: func(c *C) {
		for _, name := range []string{"", "a b", "a.b", "a/b", "a!", "ä", strings.Repeat("a", 81)} {
			c.at = name
			_, err := c.create(name, nil)
			c.refused(err)
		}
	}},
	{name: "create/names-that-are-long-or-odd", page: "Amazon SQS standard queue quotas", run: func(c *C) {
		for _, start := range []string{"-", "_", "0"} {
			name := (start + c.name() + strings.Repeat("x", 80))[:80]
			url, err := c.create(name, nil)
			c.must(err)
			equal(c, "the queue's name", nameOf(url), name)
		}
	}},
	{name: "create/names-differ-by-case", page: "Amazon SQS standard queue quotas", run: func(c *C) {
		name := c.name()
		upper, err := c.create(name+"-Q", nil)
		c.must(err)
		lower, err := c.create(name+"-q", nil)
		c.must(err)
		c.send(upper, "a")
		c.none(lower)
	}},
	{name: "create/fifo-names-end-with-fifo", page: api("CreateQueue"), run: func(c *C) {
		_, err := c.create(c.name(), attrs{"FifoQueue": "true"})
		c.refused(err)
		name := c.name() + ".fifo"
		_, err = c.CreateQueue(c.ctx, &sqs.CreateQueueInput{QueueName: &name})
		c.refused(err)
	}},
	{name: "create/the-fifo-suffix-counts-towards-80", page: "Amazon SQS FIFO queue quotas", run: func(c *C) {
		base := c.name() + strings.Repeat("x", 80)
		_, err := c.create(base[:76]+".fifo", nil)
		c.refused(err)
		_, err = c.create(base[:75]+".fifo", nil)
		c.must(err)
	}},
	{name: "create/unknown-attributes-are-InvalidAttributeName", page: api("CreateQueue"), run: func(c *C) {
		_, err := c.create(c.name(), attrs{"Colour": "blue"})
		fails[*types.InvalidAttributeName](c, err)
	}},
	{name: "create/fifo-attributes-are-for-fifo-queues", page: api("CreateQueue"), run: func(c *C) {
		for name, value := range map[string]string{"ContentBasedDeduplication": "true", "DeduplicationScope": "queue",
			"FifoThroughputLimit": "perQueue"} {
			_, err := c.create(c.name(), attrs{name: value})
			fails[*types.InvalidAttributeName](c, err)
		}
	}},
	{name: "create/defaults-of-a-standard-queue", page: api("CreateQueue"), run: func(c *C) {
		got := c.attributes(c.queue(nil))
		for name, want := range map[string]string{"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": "1048576",
			"MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true", "FifoQueue": ""} {
			equal(c, name, got[name], want)
		}
	}},
	{name: "create/defaults-of-a-fifo-queue", page: api("CreateQueue"), run: func(c *C) {
		got := c.attributes(c.fifo(nil))
		for name, want := range map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false",
			"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"} {
			equal(c, name, got[name], want)
		}
	}},
	{name: "create/high-throughput-needs-its-scope", page: api("CreateQueue"), run: func(c *C) {
		_, err := c.create(c.name()+".fifo", attrs{"FifoThroughputLimit": "perMessageGroupId"})
		c.refused(err)
		url := c.fifo(attrs{"FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup"})
		equal(c, "FifoThroughputLimit", c.attribute(url, "FifoThroughputLimit"), "perMessageGroupId")
	}},
	{name: "create/tags", page: api("CreateQueue"), run: func(c *C) {
		name, tags := c.name(), map[string]string{"team": "a", "stage": ""}
		out, err := c.CreateQueue(c.ctx, &sqs.CreateQueueInput{QueueName: &name, Tags: tags})
		c.must(err)
		c.created = append(c.created, *out.QueueUrl)
		if got := c.tags(*out.QueueUrl); !maps.Equal(got, tags) {
			c.failf("the tags are %v, want %v", got, tags)
		}
	}},
	{name: "create/a-minute-after-a-delete", page: api("DeleteQueue"), passes: time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.must(c.deleteQueue(url))
		c.pass(time.Minute)
		_, err := c.create(nameOf(url), nil)
		c.must(err)
		c.none(url)
	}},
}

var createRedriveChecks = []check{
	{name: "create/the-dead-letter-queue-must-exist", page: "Using dead-letter queues in Amazon SQS", run: func(c *C) {
		missing := c.arn(c.queue(nil)) + "-missing"
		name := c.name()
		_, err := c.create(name, attrs{"RedrivePolicy": toJSON(map[string]any{"deadLetterTargetArn": missing, "maxReceiveCount": 3})})
		c.refused(err)
		_, err = c.urlOf(name)
		fails[*types.QueueDoesNotExist](c, err)
	}},
	{name: "create/the-dead-letter-queue-must-be-of-the-same-type", page: api("CreateQueue"), run: func(c *C) {
		_, err := c.create(c.name()+".fifo", c.redriveTo(c.queue(nil), 3))
		c.refused(err)
		_, err = c.create(c.name(), c.redriveTo(c.fifo(nil), 3))
		c.refused(err)
	}},
	{name: "create/maxReceiveCount-is-1-to-1000", page: "Using dead-letter queues in Amazon SQS", run: func(c *C) {
		dlq := c.queue(nil)
		for _, n := range []int{-1, 0, 1001} {
			c.at = n
			_, err := c.create(c.name(), c.redriveTo(dlq, n))
			c.refused(err)
		}
		for _, n := range []int{1, 1000} {
			c.queue(c.redriveTo(dlq, n))
		}
	}},
	{name: "create/a-redrive-policy-is-whole", page: api("CreateQueue"), run: func(c *C) {
		arn := c.arn(c.queue(nil))
		for _, policy := range []string{"x", "[]", `{"maxReceiveCount":3}`, `{"deadLetterTargetArn":"` + arn + `"}`,
			`{"deadLetterTargetArn":"nowhere","maxReceiveCount":3}`, `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":"many"}`} {
			c.at = policy
			_, err := c.create(c.name(), attrs{"RedrivePolicy": policy})
			c.refused(err)
		}
	}},
}
