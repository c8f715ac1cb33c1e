package sqsserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestCreateQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue string
		set   attributes
		code  string
	}{
		"the same again":           {"q", attributes{"VisibilityTimeout": "40"}, ""},
		"the same by its defaults": {"q", attributes{"DelaySeconds": "0"}, ""},
		"the same, nothing given":  {"q", nil, ""},
		"the same policy, written differently": {"policy", attributes{
			"RedrivePolicy": `{ "maxReceiveCount": 3, "deadLetterTargetArn": "` + arn("q") + `" }`}, ""},
		"another value":           {"q", attributes{"VisibilityTimeout": "41"}, "QueueAlreadyExists"},
		"the longest name":        {strings.Repeat("q", 80), nil, ""},
		"a long name":             {strings.Repeat("q", 81), nil, "InvalidParameterValue"},
		"a long FIFO name":        {strings.Repeat("q", 76) + ".fifo", attributes{"FifoQueue": "true"}, "InvalidParameterValue"},
		"an odd name":             {"q/x", nil, "InvalidParameterValue"},
		"no name":                 {"", nil, "MissingParameter"},
		"FIFO":                    {"f.fifo", attributes{"FifoQueue": "true", "ContentBasedDeduplication": "true"}, ""},
		"FIFO without the suffix": {"f", attributes{"FifoQueue": "true"}, "InvalidParameterValue"},
		"the suffix without FIFO": {"f2.fifo", nil, "InvalidParameterValue"},
		"high throughput": {"f3.fifo", attributes{"FifoQueue": "true", "DeduplicationScope": "messageGroup",
			"FifoThroughputLimit": "perMessageGroupId"}, ""},
		"high throughput by queue": {"f4.fifo", attributes{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"},
			"InvalidAttributeValue"},
		"a FIFO attribute":               {"x", attributes{"ContentBasedDeduplication": "true"}, "InvalidAttributeName"},
		"an unknown attribute":           {"x", attributes{"Colour": "red"}, "InvalidAttributeName"},
		"an attribute that can't be set": {"x", attributes{"QueueArn": "x"}, "InvalidAttributeName"},
		"visibility out of range":        {"x", attributes{"VisibilityTimeout": "43201"}, "InvalidAttributeValue"},
		"no number":                      {"x", attributes{"VisibilityTimeout": "x"}, "InvalidAttributeValue"},
		"delay out of range":             {"x", attributes{"DelaySeconds": "901"}, "InvalidAttributeValue"},
		"retention out of range":         {"x", attributes{"MessageRetentionPeriod": "59"}, "InvalidAttributeValue"},
		"wait out of range":              {"x", attributes{"ReceiveMessageWaitTimeSeconds": "21"}, "InvalidAttributeValue"},
		"size out of range":              {"x", attributes{"MaximumMessageSize": "1048577"}, "InvalidAttributeValue"},
		"the largest size":               {"x0", attributes{"MaximumMessageSize": "1048576"}, ""},
		"redrive":                        {"x1", redrive("q", 1), ""},
		"the same policy, number in quotes": {"policy", attributes{
			"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("q") + `","maxReceiveCount":"3"}`}, ""},
		"redrive to nowhere":       {"x", redrive("nope", 1), "InvalidParameterValue"},
		"redrive to itself":        {"x", redrive("x", 1), "InvalidParameterValue"},
		"redrive to another type":  {"x.fifo", mergeAttributes(redrive("q", 1), attributes{"FifoQueue": "true"}), "InvalidParameterValue"},
		"redrive after 0":          {"x", redrive("q", 0), "InvalidParameterValue"},
		"redrive after 1001":       {"x", redrive("q", 1001), "InvalidParameterValue"},
		"redrive without a number": {"x", attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn("q") + `"}`}, "InvalidParameterValue"},
		"redrive without a target": {"x", attributes{"RedrivePolicy": `{"maxReceiveCount":1}`}, "InvalidParameterValue"},
		"no redrive":               {"x3", attributes{"RedrivePolicy": ""}, ""},
		"redrive that is no JSON":  {"x", attributes{"RedrivePolicy": "x"}, "InvalidAttributeValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", attributes{"VisibilityTimeout": "40"})
			b.create("policy", redrive("q", 3))
			_, err := b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &c.queue, Attributes: c.set})
			if c.code != "" {
				b.wantCode(err, c.code)
				return
			}
			b.must(err)
			b.restart()
			for k, v := range c.set {
				if got := b.attributes(c.queue)[k]; c.queue != "policy" && got != v {
					t.Errorf("%s is %q", k, got)
				}
			}
		})
	}
}

func TestQueueAttributes(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 3))
	b.advance(90 * time.Second)
	_, err := b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url("q"),
		Attributes: attributes{"VisibilityTimeout": "5", "RedrivePolicy": "", "RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`}})
	b.must(err)
	want := map[string]string{
		"QueueArn": arn("q"), "CreatedTimestamp": "1795521600", "LastModifiedTimestamp": "1795521690",
		"VisibilityTimeout": "5", "DelaySeconds": "0", "MessageRetentionPeriod": "345600", "MaximumMessageSize": "1048576",
		"ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
		"RedriveAllowPolicy":          `{"redrivePermission":"allowAll"}`,
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesDelayed": "0", "ApproximateNumberOfMessagesNotVisible": "0",
	}
	for _, when := range []string{"before a restart", "after it"} {
		if got := b.attributes("q"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v\nwant %v", when, got, want)
		}
		b.restart()
	}
	out, err := b.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url("q"),
		AttributeNames: []types.QueueAttributeName{"DelaySeconds", "RedrivePolicy"}})
	b.must(err)
	if len(out.Attributes) != 1 || out.Attributes["DelaySeconds"] != "0" {
		t.Errorf("got %v", out.Attributes)
	}
	_, err = b.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: url("q"), AttributeNames: []types.QueueAttributeName{"X"}})
	b.wantCode(err, "InvalidAttributeName")
	_, err = b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url("q"), Attributes: attributes{"FifoQueue": "true"}})
	b.wantCode(err, "InvalidAttributeName")
}

func TestFindingQueues(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for _, name := range []string{"b1", "a", "b2"} {
		b.create(name, nil)
	}
	list, err := b.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("b")})
	b.must(err)
	if got := strings.Join(list.QueueUrls, " "); got != *url("b1")+" "+*url("b2") {
		t.Errorf("listed %s", got)
	}
	found, err := b.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("a")})
	b.must(err)
	for _, at := range []string{*found.QueueUrl, "a", "https://sqs.eu-west-1.amazonaws.com/000000000000/a", "/a", "/0/a"} {
		_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &at, MessageBody: aws.String("x")})
		b.must(err)
	}
	b.wantCounts("a", 5, 0, 0)
	_, err = b.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("c")})
	b.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
}

func TestBatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	ids := func(list ...string) (entries []types.SendMessageBatchRequestEntry) {
		for _, id := range list {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
		}
		return entries
	}
	big := ids("1", "2")
	for i := range big {
		big[i].MessageBody = aws.String(strings.Repeat("x", 1<<19+1))
	}
	for name, c := range map[string]struct {
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		"empty":        {nil, "AWS.SimpleQueueService.EmptyBatchRequest"},
		"eleven":       {ids("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"},
		"the same id":  {ids("1", "1"), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"},
		"an odd id":    {ids("a.b"), "AWS.SimpleQueueService.InvalidBatchEntryId"},
		"an empty id":  {ids(""), "AWS.SimpleQueueService.InvalidBatchEntryId"},
		"over one MiB": {big, "AWS.SimpleQueueService.BatchRequestTooLong"},
	} {
		_, err := b.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url("q"), Entries: c.entries})
		b.wantCode(err, c.code)
		if name == "over one MiB" {
			continue
		}
		var deletes []types.DeleteMessageBatchRequestEntry
		var changes []types.ChangeMessageVisibilityBatchRequestEntry
		for _, e := range c.entries {
			deletes = append(deletes, types.DeleteMessageBatchRequestEntry{Id: e.Id, ReceiptHandle: aws.String("x")})
			changes = append(changes, types.ChangeMessageVisibilityBatchRequestEntry{Id: e.Id, ReceiptHandle: aws.String("x")})
		}
		_, err = b.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url("q"), Entries: deletes})
		b.wantCode(err, c.code)
		_, err = b.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url("q"), Entries: changes})
		b.wantCode(err, c.code)
	}
}

func TestBatchesFailInPart(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "a", "b")
	m := b.want("q", "a", "b")
	changed, err := b.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url("q"),
		Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("good"), ReceiptHandle: m[0].ReceiptHandle, VisibilityTimeout: 5},
			{Id: aws.String("bad"), ReceiptHandle: m[1].ReceiptHandle, VisibilityTimeout: 43201}}})
	b.must(err)
	if len(changed.Successful) != 1 || *changed.Successful[0].Id != "good" || len(changed.Failed) != 1 ||
		*changed.Failed[0].Code != "InvalidParameterValue" {
		t.Errorf("changed %+v", changed)
	}
	b.advance(5 * time.Second)
	b.wantCounts("q", 1, 1, 0)
	deleted, err := b.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url("q"),
		Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("bad"), ReceiptHandle: aws.String("x")}, {Id: aws.String("good"), ReceiptHandle: m[1].ReceiptHandle}}})
	b.must(err)
	if len(deleted.Successful) != 1 || *deleted.Successful[0].Id != "good" || len(deleted.Failed) != 1 ||
		*deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleted %+v", deleted)
	}
	b.wantCounts("q", 1, 0, 0)
}
