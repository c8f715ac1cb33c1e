package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// recorded is a test of LocalStack's whose answers were recorded on AWS: in its
// repository, tests/aws/services/sqs, marked aws.validated, with a snapshot in
// test_sqs.snapshot.json or test_sqs_move_task.snapshot.json where it has one.
func recorded(test string) string { return "LocalStack's " + test + ", recorded on AWS" }

// answers wants an error of this status, code and message.
func (c *C) answers(err error, status int, code, message string) {
	var e smithy.APIError
	var r *awshttp.ResponseError
	if !errors.As(err, &e) || !errors.As(err, &r) {
		c.failf("got error %v, want %s", err, code)
	}
	equal(c, "the code", e.ErrorCode(), code)
	equal(c, "the message", e.ErrorMessage(), message)
	equal(c, "the status", r.HTTPStatusCode(), status)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// recordedChecks are of what no page tells: values that are written otherwise
// than they were sent, statuses, and the texts that clients match on.
var recordedChecks = []check{
	{name: "recorded/True-is-true", page: recorded("test_fifo_change_to_high_throughput_after_creation"), run: func(c *C) {
		name := c.name() + ".fifo"
		out, err := c.CreateQueue(c.ctx, &sqs.CreateQueueInput{QueueName: &name,
			Attributes: attrs{"FifoQueue": "True", "ContentBasedDeduplication": "False"}})
		c.must(err)
		c.created = append(c.created, *out.QueueUrl)
		equal(c, "FifoQueue", c.attribute(*out.QueueUrl, "FifoQueue"), "true")
		equal(c, "ContentBasedDeduplication", c.attribute(*out.QueueUrl, "ContentBasedDeduplication"), "false")
		c.must(c.set(*out.QueueUrl, attrs{"ContentBasedDeduplication": "True", "FifoQueue": "True"}))
		equal(c, "ContentBasedDeduplication", c.attribute(*out.QueueUrl, "ContentBasedDeduplication"), "true")
		_, err = c.create(name, attrs{"ContentBasedDeduplication": "True"})
		c.must(err)
	}},
	{name: "recorded/a-queue-stays-fifo", page: recorded("test_set_unsupported_attribute_fifo"), run: func(c *C) {
		standard, fifo := c.queue(nil), c.fifo(nil)
		for _, value := range []string{"true", "false"} {
			c.answers(c.set(standard, attrs{"FifoQueue": value}), 400, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
		}
		c.must(c.set(fifo, attrs{"FifoQueue": "true"}))
		c.answers(c.set(fifo, attrs{"FifoQueue": "false"}), 400, "InvalidAttributeValue",
			"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	}},
	{name: "recorded/fifo-attributes-of-a-standard-queue", run: func(c *C) {
		for name, message := range map[string]string{
			"FifoQueue":                 "Unknown Attribute FifoQueue.",
			"ContentBasedDeduplication": "Unknown Attribute ContentBasedDeduplication.",
			"DeduplicationScope":        "You can specify the DeduplicationScope only when FifoQueue is set to true.",
			"FifoThroughputLimit":       "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
		} {
			value := map[string]string{"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}[name]
			if value == "" {
				value = "false"
			}
			_, err := c.create(c.name(), attrs{name: value})
			c.answers(err, 400, "InvalidAttributeName", message)
		}
	}, page: recorded("test_create_standard_queue_with_fifo_attribute_raises_error")},
	{name: "recorded/maxReceiveCount-is-a-number", page: recorded("test_get_specific_queue_attribute_response"), run: func(c *C) {
		arn := c.arn(c.queue(nil))
		for _, count := range []string{"10", `"10"`} {
			url := c.queue(attrs{"RedrivePolicy": `{"maxReceiveCount": ` + count + `, "deadLetterTargetArn": "` + arn + `"}`})
			var policy map[string]any
			c.must(json.Unmarshal([]byte(c.attribute(url, "RedrivePolicy")), &policy))
			equal(c, "maxReceiveCount", policy["maxReceiveCount"], any(10.0))
			equal(c, "deadLetterTargetArn", policy["deadLetterTargetArn"], any(arn))
		}
	}},
	{name: "recorded/a-dead-letter-queue-has-an-arn", page: recorded("test_invalid_dead_letter_arn_rejected_before_lookup"), run: func(c *C) {
		policy := `{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}`
		_, err := c.create(c.name(), attrs{"RedrivePolicy": policy})
		c.answers(err, 400, "InvalidParameterValue",
			"Value "+policy+" for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn.")
	}},
	{name: "recorded/a-queue-may-be-its-own-dead-letter-queue", page: recorded("test_set_empty_redrive_policy"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.set(url, c.redriveTo(url, 1)))
		if policy := c.attribute(url, "RedrivePolicy"); !strings.Contains(policy, c.arn(url)) {
			c.failf("RedrivePolicy is %q", policy)
		}
		c.must(c.set(url, attrs{"RedrivePolicy": ""}))
		equal(c, "RedrivePolicy", c.attribute(url, "RedrivePolicy"), "")
	}},
	{name: "recorded/the-key's-period-goes-with-the-key", page: recorded("test_set_queue_attributes_default_values"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.set(url, attrs{"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000"}))
		equal(c, "the period", c.attribute(url, "KmsDataKeyReusePeriodSeconds"), "6000")
		c.must(c.set(url, attrs{"KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300"}))
		for _, name := range []string{"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"} {
			if value, given := c.attributes(url)[name]; given {
				c.failf("%s is %q", name, value)
			}
		}
		_, err := c.create(nameOf(url), attrs{"KmsDataKeyReusePeriodSeconds": "300"})
		c.must(err)
	}},
	{name: "recorded/without-tags-there-is-no-Tags", page: recorded("test_tag_untag_queue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.tag(url, map[string]string{"a": "1"}))
		_, err := c.UntagQueue(c.ctx, &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"a"}})
		c.must(err)
		if tags := c.tags(url); tags != nil {
			c.failf("the tags are %v, want none at all", tags)
		}
	}},
	{name: "recorded/an-asterisk-is-every-attribute", run: func(c *C) {
		c.wantPicked([]string{"*"}, "colour", "size.x", "size.y")
	}, page: recorded("test_receive_message_message_attribute_names_filters")},
	{name: "recorded/letters-of-attribute-names", page: recorded("test_send_message_with_invalid_string_attributes"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.sendWith(url, "a", map[string]types.MessageAttributeValue{"attr.1øßä": text("v")})
		c.must(err)
		for _, name := range []string{"a!", `a"`, "a§", "a(", "a?"} {
			c.refusesAttribute(url, name, text("v"))
		}
	}},
	{name: "recorded/attributes-that-are-empty-or-odd", page: recorded("test_send_message_with_empty_string_attribute"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.sendWith(url, "a", map[string]types.MessageAttributeValue{"ErrorDetails": text("")})
		c.answers(err, 400, "InvalidParameterValue",
			"Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.")
		_, err = c.sendWith(url, "a", map[string]types.MessageAttributeValue{"a": text("\b\v")})
		c.refused(err, "InvalidParameterValue") // test_invalid_string_attributes_cause_invalid_parameter_value_error
	}},
	{name: "recorded/ids-of-a-batch", page: recorded("test_invalid_batch_id"), run: func(c *C) {
		list := entries("a")
		list[0].Id = aws.String("message:1")
		_, err := c.sendBatch(c.queue(nil), list)
		c.answers(err, 400, "AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, "+
			"hyphens and underscores. It can be at most 80 letters long.")
	}},
	{name: "recorded/purging-again-is-forbidden", page: recorded("test_successive_purge_calls_fail"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.purge(url))
		c.answers(c.purge(url), 403, "AWS.SimpleQueueService.PurgeQueueInProgress",
			"Only one PurgeQueue operation on "+nameOf(url)+" is allowed every 60 seconds.")
	}},
	{name: "recorded/a-batch-without-ids-is-refused-whole", run: func(c *C) {
		url := c.fifo(nil)
		for missing, message := range map[string]string{
			"group":         "The request must contain the parameter MessageGroupId.",
			"deduplication": "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
		} {
			list := entries("a", "b")
			for i := range list {
				list[i].MessageGroupId, list[i].MessageDeduplicationId = list[i].MessageBody, list[i].MessageBody
			}
			if missing == "group" {
				list[1].MessageGroupId = nil
			} else {
				list[1].MessageDeduplicationId = nil
			}
			_, err := c.sendBatch(url, list)
			c.answers(err, 400, "InvalidParameterValue", message)
		}
		c.none(url)
	}, page: recorded("test_send_batch_missing_message_group_id_for_fifo_queue and test_send_batch_missing_deduplication_id_for_fifo_queue")},
	{name: "recorded/a-batch's-entry-that-is-too-long", page: recorded("test_send_batch_message_size"), run: func(c *C) {
		out, err := c.sendBatch(c.queue(attrs{"MaximumMessageSize": "1024"}), entries(strings.Repeat("a", 1024), strings.Repeat("a", 1025)))
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 1)
		equal(c, "the Code", *out.Failed[0].Code, "InvalidParameterValue")
		equal(c, "the Message", *out.Failed[0].Message,
			"One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.")
	}},
	{name: "recorded/one-move-task-at-a-time", page: recorded("test_start_multiple_move_tasks"), run: func(c *C) {
		arn, _, _ := c.slowMove(2)
		_, err := c.StartMessageMoveTask(c.ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		c.answers(err, 400, "InvalidParameterValue", "There is already a task running. Only one active task is allowed for a source "+
			"queue arn at a given time.")
	}},
	{name: "recorded/permissions", page: recorded("test_sqs_permission_lifecycle"), run: func(c *C) {
		url := c.queue(nil)
		add := func(label string, accounts ...string) error {
			_, err := c.AddPermission(c.ctx, &sqs.AddPermissionInput{QueueUrl: &url, Label: &label, AWSAccountIds: accounts,
				Actions: []string{"ReceiveMessage"}})
			return err
		}
		remove := func(label string) error {
			_, err := c.RemovePermission(c.ctx, &sqs.RemovePermissionInput{QueueUrl: &url, Label: &label})
			return err
		}
		statement := func(label, principal string) string {
			return `{"Sid":"` + label + `","Effect":"Allow","Principal":{"AWS":` + principal + `},"Action":"SQS:ReceiveMessage","Resource":"` +
				c.arn(url) + `"}`
		}
		has := func(statements ...string) {
			want := `{"Version":"2008-10-17","Id":"` + c.arn(url) + `/SQSDefaultPolicy","Statement":[` + strings.Join(statements, ",") + "]}"
			if got := c.attribute(url, "Policy"); !sameJSON(got, want) {
				c.failf("Policy is %s, want %s", got, want)
			}
		}
		const one, other = `"arn:aws:iam::111111111111:root"`, `"arn:aws:iam::668614515564:root"`
		c.must(add("a", "111111111111", "668614515564"))
		has(statement("a", "["+one+","+other+"]"))
		c.answers(add("a", "111111111111"), 400, "InvalidParameterValue", "Value a for parameter Label is invalid. Reason: Already exists.")
		c.must(add("b", "111111111111"))
		has(statement("a", "["+one+","+other+"]"), statement("b", one))
		c.must(remove("a"))
		has(statement("b", one))
		c.must(remove("b"))
		if policy, given := c.attributes(url)["Policy"]; given {
			c.failf("Policy is %q", policy)
		}
		c.answers(remove("b"), 400, "InvalidParameterValue", "Value b for parameter Label is invalid. Reason: can't find label.")
	}},
	{name: "recorded/task-handles", run: func(c *C) {
		arn := c.arn(c.queue(nil))
		cancel := func(handle string) error {
			_, err := c.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
			return err
		}
		of := func(arn string) string {
			return base64.StdEncoding.EncodeToString([]byte(`{"taskId":"10f57157-fc38-4da9-a113-4de7e12d05dd","sourceArn":"` + arn + `"}`))
		}
		c.answers(cancel("foobared"), 400, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
		c.answers(cancel(of(arn+"-missing")), 404, "ResourceNotFoundException",
			"The resource that you specified for the SourceArn parameter doesn't exist.")
		c.answers(cancel(of(arn)), 404, "ResourceNotFoundException", "Task does not exist.")
	}, page: recorded("test_cancel_with_invalid_task_handle, …_source_arn_in_task_handle and …_task_id_in_task_handle")},
	{name: "recorded/a-purge-forgets-deduplication-ids", page: recorded("test_purge_queue_clears_fifo_deduplication_cache"), run: func(c *C) {
		url := c.fifo(nil)
		_, err := c.tryFIFO(url, "g", "d", "a")
		c.must(err)
		c.must(c.purge(url))
		_, err = c.tryFIFO(url, "g", "d", "b")
		c.must(err)
		c.want(url, "b")
	}},
}
