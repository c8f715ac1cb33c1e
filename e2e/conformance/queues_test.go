package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

type attrs = map[string]string

// isHelper: a failure is reported where a check is, not here.
func isHelper(file string) bool {
	name := base(file)
	return name == "queues_test.go" || name == "messages_test.go" || name == "check_test.go"
}

func base(file string) string { return filepath.Base(file) }

func (c *C) must(err error) {
	if err != nil {
		c.failf("%v", err)
	}
}

// equal fails unless got is want.
func equal[T comparable](c *C, what string, got, want T) {
	if got != want {
		c.failf("%s is %v, want %v", what, got, want)
	}
}

// fails wants an error that is an E of the SDK's.
func fails[E error](c *C, err error) {
	var e E
	if !errors.As(err, &e) {
		c.failf("got error %v, want a %T", err, e)
	}
}

// refused wants an answer that says the request is wrong, with one of the
// codes if any are given.
func (c *C) refused(err error, codes ...string) {
	var e smithy.APIError
	var r *awshttp.ResponseError
	if !errors.As(err, &e) || !errors.As(err, &r) || r.HTTPStatusCode()/100 != 4 {
		c.failf("got error %v, want one that says the request is wrong", err)
	}
	for _, code := range codes {
		if strings.TrimSuffix(e.ErrorCode(), "Exception") == code {
			return
		}
	}
	if len(codes) > 0 {
		c.failf("got error %v, want code %v", err, codes)
	}
}

// create makes a queue of that name, which goes when the check ends.
func (c *C) create(name string, set attrs) (url string, err error) {
	if strings.HasSuffix(name, ".fifo") {
		set = with(set, "FifoQueue", "true")
	}
	out, err := c.CreateQueue(c.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: set})
	if err != nil {
		return "", err
	}
	c.created = append(c.created, *out.QueueUrl)
	return *out.QueueUrl, nil
}

// tidy deletes what was created on a real endpoint.
func (c *C) tidy() {
	if c.endpoint.clock != nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	for _, url := range c.created {
		// Many are gone already.
		_, _ = c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	}
}

// queue makes a standard queue, fifo a FIFO one.
func (c *C) queue(set attrs) (url string) {
	url, err := c.create(c.name(), set)
	c.must(err)
	return url
}

func (c *C) fifo(set attrs) (url string) {
	url, err := c.create(c.name()+".fifo", set)
	c.must(err)
	return url
}

// with is set, and one more.
func with(set attrs, name, value string) attrs {
	all := attrs{name: value}
	maps.Copy(all, set)
	return all
}

func nameOf(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

func (c *C) attributes(url string) attrs {
	out, err := c.GetQueueAttributes(c.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	c.must(err)
	return out.Attributes
}

func (c *C) attribute(url, name string) string { return c.attributes(url)[name] }

func (c *C) arn(url string) string { return c.attribute(url, "QueueArn") }

func (c *C) set(url string, set attrs) error {
	_, err := c.SetQueueAttributes(c.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: set})
	return err
}

// counts are the messages that are visible, in flight and delayed.
func (c *C) counts(url string) [3]string {
	a := c.attributes(url)
	return [3]string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"],
		a["ApproximateNumberOfMessagesDelayed"]}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// redriveTo are the attributes of a queue whose dead letters go to dlq.
func (c *C) redriveTo(dlq string, maxReceives int) attrs {
	return attrs{"RedrivePolicy": toJSON(map[string]any{"deadLetterTargetArn": c.arn(dlq), "maxReceiveCount": maxReceives})}
}

func (c *C) deleteQueue(url string) error {
	_, err := c.DeleteQueue(c.ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	return err
}

func (c *C) urlOf(name string) (string, error) {
	out, err := c.GetQueueUrl(c.ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.QueueUrl), nil
}
