package conformance

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var batchChecks = []check{
	{name: "batch/send-ten", page: api("SendMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		bodies := numbered("m", 10)
		out, err := c.sendBatch(url, entries(bodies...))
		c.must(err)
		equal(c, "the number of failed entries", len(out.Failed), 0)
		ids := map[string]string{}
		for _, r := range out.Successful {
			i, err := strconv.Atoi(aws.ToString(r.Id))
			c.must(err)
			equal(c, "MD5OfMessageBody", aws.ToString(r.MD5OfMessageBody), md5Of(bodies[i]))
			ids[bodies[i]] = *r.MessageId
		}
		for _, m := range c.want(url, bodies...) {
			equal(c, "MessageId", *m.MessageId, ids[*m.Body])
		}
	}},
	{name: "batch/send-some-that-fail", page: api("SendMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		out, err := c.sendBatch(url, entries("a", "\x01", "b"))
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 2)
		equal(c, "the number of failed entries", len(out.Failed), 1)
		f := out.Failed[0]
		equal(c, "the Id", *f.Id, "1")
		equal(c, "the Code", *f.Code, "InvalidMessageContents")
		equal(c, "SenderFault", f.SenderFault, true)
		c.want(url, "a", "b")
	}},
	{name: "batch/send-all-that-fail", page: api("SendMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		out, err := c.sendBatch(url, entries("\x01", "\x02"))
		c.must(err)
		equal(c, "the number of failed entries", len(out.Failed), 2)
		c.none(url)
	}},
	{name: "batch/send-with-attributes-and-delays-of-their-own", page: api("SendMessageBatchRequestEntry"), run: func(c *C) {
		url := c.queue(nil)
		list := entries("plain", "with", "delayed")
		list[1].MessageAttributes = every
		list[1].MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(trace)}}
		list[2].DelaySeconds = 900
		out, err := c.sendBatch(url, list)
		c.must(err)
		equal(c, "the number of failed entries", len(out.Failed), 0)
		for _, r := range out.Successful {
			if *r.Id == "1" {
				equal(c, "MD5OfMessageAttributes", aws.ToString(r.MD5OfMessageAttributes), md5OfAttributes(every))
			} else if r.MD5OfMessageAttributes != nil {
				c.failf("entry %s has MD5OfMessageAttributes", *r.Id)
			}
		}
		for _, m := range c.want(url, "plain", "with") {
			if *m.Body == "with" {
				equal(c, "the number of attributes", len(m.MessageAttributes), len(every))
				equal(c, "AWSTraceHeader", m.Attributes["AWSTraceHeader"], trace)
			}
		}
	}},
	{name: "batch/together-1-MiB-and-not-more", page: api("SendMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		half := strings.Repeat("a", maxSize/2)
		_, err := c.sendBatch(url, entries(half, half+"a"))
		fails[*types.BatchRequestTooLong](c, err)
		out, err := c.sendBatch(url, entries(half, half))
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 2)
	}},
	{name: "batch/one-over-the-queue's-size-fails-alone", page: api("SendMessageBatch"), run: func(c *C) {
		url := c.queue(attrs{"MaximumMessageSize": "1024"})
		out, err := c.sendBatch(url, entries("a", strings.Repeat("b", 1025)))
		c.must(err)
		equal(c, "the number of failed entries", len(out.Failed), 1)
		equal(c, "the Id", *out.Failed[0].Id, "1")
		c.want(url, "a")
	}},
	{name: "batch/ids-of-80-characters", page: api("SendMessageBatchRequestEntry"), run: func(c *C) {
		list := entries("a")
		list[0].Id = aws.String(strings.Repeat("a-_Z9", 16))
		out, err := c.sendBatch(c.queue(nil), list)
		c.must(err)
		equal(c, "the Id", *out.Successful[0].Id, *list[0].Id)
	}},
}

// entries are a batch to send, with ids that count from 0.
func entries(bodies ...string) []types.SendMessageBatchRequestEntry {
	list := []types.SendMessageBatchRequestEntry{}
	for i, body := range bodies {
		list = append(list, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
	}
	return list
}

func (c *C) sendBatch(url string, list []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	return c.SendMessageBatch(c.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: list})
}

// batchErrorChecks: the three batch operations refuse the same batches.
var batchErrorChecks = func() (list []check) {
	for operation, try := range map[string]func(c *C, url string, ids ...string) error{
		"SendMessageBatch": func(c *C, url string, ids ...string) error {
			batch := []types.SendMessageBatchRequestEntry{}
			for _, id := range ids {
				batch = append(batch, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("a")})
			}
			_, err := c.sendBatch(url, batch)
			return err
		},
		"DeleteMessageBatch": func(c *C, url string, ids ...string) error {
			batch := []types.DeleteMessageBatchRequestEntry{}
			for _, id := range ids {
				batch = append(batch, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
			}
			_, err := c.DeleteMessageBatch(c.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: batch})
			return err
		},
		"ChangeMessageVisibilityBatch": func(c *C, url string, ids ...string) error {
			batch := []types.ChangeMessageVisibilityBatchRequestEntry{}
			for _, id := range ids {
				batch = append(batch, types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
			}
			_, err := c.ChangeMessageVisibilityBatch(c.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: batch})
			return err
		},
	} {
		for what, run := range map[string]func(c *C, url string){
			"without-entries-is-EmptyBatchRequest": func(c *C, url string) {
				fails[*types.EmptyBatchRequest](c, try(c, url))
			},
			"of-eleven-is-TooManyEntriesInBatchRequest": func(c *C, url string) {
				fails[*types.TooManyEntriesInBatchRequest](c, try(c, url, numbered("m", 11)...))
			},
			"with-an-id-twice-is-BatchEntryIdsNotDistinct": func(c *C, url string) {
				fails[*types.BatchEntryIdsNotDistinct](c, try(c, url, "a", "b", "a"))
			},
			"with-a-bad-id-is-InvalidBatchEntryId": func(c *C, url string) {
				for _, id := range []string{"", "a b", "a.b", strings.Repeat("a", 81)} {
					c.at = id
					fails[*types.InvalidBatchEntryId](c, try(c, url, "ok", id))
				}
			},
			"to-no-queue-is-QueueDoesNotExist": func(c *C, url string) {
				fails[*types.QueueDoesNotExist](c, try(c, url+"-missing", "a"))
			},
		} {
			list = append(list, check{name: "batch/" + operation + "-" + what, page: api(operation),
				run: func(c *C) { run(c, c.queue(nil)) }})
		}
	}
	return list
}()
