package conformance

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var listChecks = []check{
	{name: "url/of-a-queue", page: api("GetQueueUrl"), run: func(c *C) {
		url := c.queue(nil)
		got, err := c.urlOf(nameOf(url))
		c.must(err)
		equal(c, "the URL", got, url)
	}},
	{name: "url/of-no-queue-is-QueueDoesNotExist", page: api("GetQueueUrl"), run: func(c *C) {
		_, err := c.urlOf(c.name())
		fails[*types.QueueDoesNotExist](c, err)
	}},
	{name: "list/by-prefix", page: api("ListQueues"), run: func(c *C) {
		prefix, urls := c.threeQueues()
		if got := c.list(&sqs.ListQueuesInput{QueueNamePrefix: &prefix}).QueueUrls; !sameSet(got, urls) {
			c.failf("listed %v, want %v", got, urls)
		}
	}},
	{name: "list/without-a-match", page: api("ListQueues"), run: func(c *C) {
		equal(c, "the number of queues", len(c.list(&sqs.ListQueuesInput{QueueNamePrefix: aws.String(c.name())}).QueueUrls), 0)
	}},
	{name: "list/a-prefix-is-case-sensitive", page: api("ListQueues"), run: func(c *C) {
		name := c.name()
		_, err := c.create(name+"-Q", nil)
		c.must(err)
		equal(c, "the number of queues", len(c.list(&sqs.ListQueuesInput{QueueNamePrefix: aws.String(name + "-q")}).QueueUrls), 0)
	}},
	{name: "list/in-pages", page: api("ListQueues"), run: func(c *C) {
		prefix, urls := c.threeQueues()
		first := c.list(&sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(2)})
		equal(c, "the length of the first page", len(first.QueueUrls), 2)
		if first.NextToken == nil {
			c.failf("the first page has no NextToken")
		}
		second := c.list(&sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(2), NextToken: first.NextToken})
		if got := slices.Concat(first.QueueUrls, second.QueueUrls); !sameSet(got, urls) {
			c.failf("listed %v, want %v", got, urls)
		}
		if second.NextToken != nil {
			c.failf("the last page has a NextToken")
		}
	}},
	{name: "list/no-token-without-MaxResults", page: api("ListQueues"), run: func(c *C) {
		prefix, _ := c.threeQueues()
		if c.list(&sqs.ListQueuesInput{QueueNamePrefix: &prefix}).NextToken != nil {
			c.failf("there is a NextToken")
		}
	}},
	{name: "list/MaxResults-is-1-to-1000", page: api("ListQueues"), run: func(c *C) {
		for _, n := range []int32{-1, 0, 1001} {
			c.at = n
			_, err := c.ListQueues(c.ctx, &sqs.ListQueuesInput{MaxResults: &n})
			c.refused(err)
		}
	}},
}

// threeQueues makes queues with a prefix of their own.
func (c *C) threeQueues() (prefix string, urls []string) {
	prefix = c.name()
	for i := range 3 {
		url, err := c.create(prefix+"-"+strconv.Itoa(i), nil)
		c.must(err)
		urls = append(urls, url)
	}
	return prefix, urls
}

func (c *C) list(in *sqs.ListQueuesInput) *sqs.ListQueuesOutput {
	out, err := c.ListQueues(c.ctx, in)
	c.must(err)
	return out
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
