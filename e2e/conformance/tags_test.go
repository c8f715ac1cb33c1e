package conformance

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var tagChecks = []check{
	{name: "tags/are-added-and-overwritten", page: api("TagQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.tag(url, map[string]string{"a": "1", "b": "2"}))
		c.must(c.tag(url, map[string]string{"b": "3", "c": ""}))
		c.wantTags(url, map[string]string{"a": "1", "b": "3", "c": ""})
	}},
	{name: "tags/are-case-sensitive-and-any-characters", page: api("TagQueue"), run: func(c *C) {
		url, tags := c.queue(nil), map[string]string{"Team": "1", "team": "2", "größe": "_.:/=+-@ 1"}
		c.must(c.tag(url, tags))
		c.wantTags(url, tags)
	}},
	{name: "tags/other-characters-are-refused", page: "Amazon SQS standard queue quotas", run: func(c *C) {
		url := c.queue(nil)
		for _, tags := range []map[string]string{{"": "1"}, {"a!": "1"}, {"a": "1€"}, {"aws:a": "1"}} {
			c.at = tags
			c.refused(c.tag(url, tags))
		}
	}},
	{name: "tags/are-removed", page: api("UntagQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.tag(url, map[string]string{"a": "1", "b": "2"}))
		_, err := c.UntagQueue(c.ctx, &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"a", "missing"}})
		c.must(err)
		c.wantTags(url, map[string]string{"b": "2"})
	}},
	{name: "tags/a-new-queue-has-none", page: api("ListQueueTags"), run: func(c *C) {
		c.wantTags(c.queue(nil), nil)
	}},
	{name: "tags/of-no-queue-is-QueueDoesNotExist", page: api("TagQueue"), run: func(c *C) {
		url := c.queue(nil) + "-missing"
		fails[*types.QueueDoesNotExist](c, c.tag(url, map[string]string{"a": "1"}))
		_, err := c.UntagQueue(c.ctx, &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"a"}})
		fails[*types.QueueDoesNotExist](c, err)
		_, err = c.ListQueueTags(c.ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
		fails[*types.QueueDoesNotExist](c, err)
	}},
}

func (c *C) tag(url string, tags map[string]string) error {
	_, err := c.TagQueue(c.ctx, &sqs.TagQueueInput{QueueUrl: &url, Tags: tags})
	return err
}

func (c *C) wantTags(url string, want map[string]string) {
	if got := c.tags(url); !maps.Equal(got, want) {
		c.failf("the tags are %v, want %v", got, want)
	}
}

func (c *C) tags(url string) map[string]string {
	out, err := c.ListQueueTags(c.ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
	c.must(err)
	return out.Tags
}
