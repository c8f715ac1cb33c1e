package sqsserver_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func (b *bundle) tags(queue string) map[string]string {
	b.t.Helper()
	out, err := b.ListQueueTags(b.t.Context(), &sqs.ListQueueTagsInput{QueueUrl: url(queue)})
	b.must(err)
	return out.Tags
}

func (b *bundle) tag(queue string, tags map[string]string) error {
	_, err := b.TagQueue(b.t.Context(), &sqs.TagQueueInput{QueueUrl: url(queue), Tags: tags})
	return err
}

func TestTags(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, err := b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{"a": "1", "b": "2"}})
	b.must(err)
	b.must(b.tag("q", map[string]string{"b": "3", "B": "", "Größe /x": "+-=._:/@ 1"}))
	_, err = b.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: url("q"), TagKeys: []string{"a", "not there"}})
	b.must(err)
	want := map[string]string{"b": "3", "B": "", "Größe /x": "+-=._:/@ 1"}
	for range 2 {
		if got := b.tags("q"); !maps.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		b.restart()
	}
	for name, c := range map[string]struct {
		tags map[string]string
		code string
	}{
		"the same tags": {maps.Clone(want), ""}, "none": {nil, ""},
		"other tags": {map[string]string{"b": "4"}, "QueueAlreadyExists"},
	} {
		_, err := b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q"), Tags: c.tags})
		if c.code == "" {
			b.must(err)
		} else if err == nil {
			t.Errorf("%s: no error", name)
		} else {
			b.wantCode(err, c.code)
		}
	}
}

func TestTagsThatAreRefused(t *testing.T) {
	t.Parallel()
	many := func(n int) map[string]string {
		tags := map[string]string{}
		for i := range n {
			tags[strconv.Itoa(i)] = ""
		}
		return tags
	}
	for name, c := range map[string]struct {
		tags map[string]string
		code string
	}{
		"fifty with the one there": {many(49), ""},
		"fifty-one":                {many(50), "InvalidParameterValue"},
		"the longest":              {map[string]string{strings.Repeat("é", 128): strings.Repeat("é", 256)}, ""},
		"a long key":               {map[string]string{strings.Repeat("k", 129): ""}, "InvalidParameterValue"},
		"a long value":             {map[string]string{"k": strings.Repeat("v", 257)}, "InvalidParameterValue"},
		"an empty key":             {map[string]string{"": "v"}, "InvalidParameterValue"},
		"a reserved key":           {map[string]string{"aws:k": "v"}, "InvalidParameterValue"},
		"an odd key":               {map[string]string{"a*": "v"}, "InvalidParameterValue"},
		"an odd value":             {map[string]string{"a": "\x00"}, "InvalidParameterValue"},
		"none":                     {nil, "MissingParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", nil)
			b.must(b.tag("q", map[string]string{"here": "1"}))
			err := b.tag("q", c.tags)
			if c.code == "" {
				b.must(err)
				return
			}
			b.wantCode(err, c.code)
			if got := b.tags("q"); len(got) != 1 {
				t.Errorf("left %v", got)
			}
			if len(c.tags) > 0 && len(c.tags) != 50 {
				_, err = b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("new"), Tags: c.tags})
				b.wantCode(err, c.code)
			}
		})
	}
	b := newBundle(t)
	b.wantCode(b.tag("nope", many(1)), "AWS.SimpleQueueService.NonExistentQueue")
	b.create("q", nil)
	_, err := b.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: url("q")})
	b.wantCode(err, "MissingParameter")
}
