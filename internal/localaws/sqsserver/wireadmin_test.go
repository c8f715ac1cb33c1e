package sqsserver_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestTheSDKManagesQueues(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	c, base := b.serve()
	ctx := t.Context()
	b.create("dlq", nil)
	made, err := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: redrive("dlq", 1),
		Tags: map[string]string{"a": "1"}})
	b.must(err)
	q := made.QueueUrl
	_, err = c.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: q, Tags: map[string]string{"b": "2"}})
	b.must(err)
	_, err = c.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: q, TagKeys: []string{"a"}})
	b.must(err)
	tags, err := c.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: q})
	b.must(err)
	if !maps.Equal(tags.Tags, map[string]string{"b": "2"}) {
		t.Errorf("tags %v", tags.Tags)
	}
	var pages []string
	for p := sqs.NewListQueuesPaginator(c, &sqs.ListQueuesInput{MaxResults: aws.Int32(1)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		b.must(err)
		pages = append(pages, page.QueueUrls...)
	}
	if got := strings.Join(pages, " "); got != base+"/000000000000/dlq "+*q {
		t.Errorf("queues %s", got)
	}
	b.create("q2", redrive("dlq", 1))
	pages = nil
	for p := sqs.NewListDeadLetterSourceQueuesPaginator(c, &sqs.ListDeadLetterSourceQueuesInput{
		QueueUrl: url("dlq"), MaxResults: aws.Int32(1)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		b.must(err)
		pages = append(pages, page.QueueUrls...)
	}
	if got := strings.Join(pages, " "); got != *q+" "+*q+"2" {
		t.Errorf("sources %s", got)
	}
	_, err = c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: q})
	b.must(err)
	_, err = c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: q})
	if e := new(types.PurgeQueueInProgress); !errors.As(err, &e) {
		t.Errorf("a second purge: %v", err)
	}
	_, err = c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q})
	b.must(err)
	_, err = c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q})
	if e := new(types.QueueDoesNotExist); !errors.As(err, &e) {
		t.Errorf("a second delete: %v", err)
	}
}

func TestALongAnswerSaysItsLength(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, base := b.serve()
	b.create("q", nil)
	b.send("q", strings.Repeat("x", 1<<20))
	_, header, body := post(t, base, "AmazonSQS.ReceiveMessage", strings.NewReader(`{"QueueUrl":"q"}`))
	if header.Get("Content-Length") != strconv.Itoa(len(body)) || len(body) < 1<<20 {
		t.Errorf("Content-Length %q of %d bytes", header.Get("Content-Length"), len(body))
	}
}
