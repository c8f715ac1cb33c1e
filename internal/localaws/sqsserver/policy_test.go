package sqsserver_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The ranges of the attributes that have no effect here, but for those of
// encryption on each other.
func TestAttributesThatAreOnlyKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set, want attributes // want: "" for not there
		code      string
	}{
		"a policy":                 {attributes{"Policy": `{"Version":"2012-10-17"}`}, attributes{"Policy": `{"Version":"2012-10-17"}`}, ""},
		"a policy that is no JSON": {attributes{"Policy": "x"}, nil, "InvalidAttributeValue"},
		"our encryption off":       {attributes{"SqsManagedSseEnabled": "false"}, attributes{"SqsManagedSseEnabled": "false"}, ""},
		"our encryption, odd":      {attributes{"SqsManagedSseEnabled": "1"}, nil, "InvalidAttributeValue"},
		"a key": {attributes{"KmsMasterKeyId": "alias/k"},
			attributes{"KmsMasterKeyId": "alias/k", "SqsManagedSseEnabled": "false", "KmsDataKeyReusePeriodSeconds": "300"}, ""},
		"a key with a period": {attributes{"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "60"},
			attributes{"KmsDataKeyReusePeriodSeconds": "60"}, ""},
		"a key without our encryption": {attributes{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "false"},
			attributes{"KmsMasterKeyId": "k"}, ""},
		"both encryptions": {attributes{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"}, nil, "InvalidAttributeName"},
		"the longest period": {attributes{"KmsDataKeyReusePeriodSeconds": "86400"},
			attributes{"KmsDataKeyReusePeriodSeconds": "86400"}, ""},
		"a short period": {attributes{"KmsDataKeyReusePeriodSeconds": "59"}, nil, "InvalidAttributeValue"},
		"a long period":  {attributes{"KmsDataKeyReusePeriodSeconds": "86401"}, nil, "InvalidAttributeValue"},
		"nothing": {nil, attributes{"SqsManagedSseEnabled": "true", "KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "",
			"Policy": ""}, ""},
		"odd content deduplication": {attributes{"FifoQueue": "true", "ContentBasedDeduplication": "yes"}, nil, "InvalidAttributeValue"},
		"odd scope":                 {attributes{"FifoQueue": "true", "DeduplicationScope": "x"}, nil, "InvalidAttributeValue"},
		"odd limit":                 {attributes{"FifoQueue": "true", "FifoThroughputLimit": "x"}, nil, "InvalidAttributeValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			queue := "q"
			if c.set["FifoQueue"] != "" {
				queue = "q.fifo"
			}
			_, err := b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &queue, Attributes: c.set})
			if c.code != "" {
				b.wantCode(err, c.code)
				return
			}
			b.must(err)
			for k, v := range c.want {
				if got, there := b.attributes(queue)[k]; got != v || there != (v != "") {
					t.Errorf("%s is %q", k, got)
				}
			}
			// The other kind of encryption takes over; an empty value takes away.
			_, err = b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: url(queue), Attributes: attributes{"SqsManagedSseEnabled": "true", "Policy": ""}})
			b.must(err)
			if a := b.attributes(queue); a["KmsMasterKeyId"] != "" || a["KmsDataKeyReusePeriodSeconds"] != "" || a["Policy"] != "" {
				t.Errorf("left %v", a)
			}
		})
	}
}

func TestRedriveAllowPolicy(t *testing.T) {
	t.Parallel()
	const by = `{"redrivePermission":"byQueue","sourceQueueArns":[`
	for name, c := range map[string]struct {
		policy  string
		code    string // of setting it
		refused string // the code of using it, "" when it is allowed
	}{
		"all":                     {`{"redrivePermission":"allowAll"}`, "", ""},
		"none":                    {`{"redrivePermission":"denyAll"}`, "", "InvalidParameterValue"},
		"this queue":              {by + `"` + arn("x") + `","` + arn("q") + `"]}`, "", ""},
		"another queue":           {by + `"` + arn("x") + `"]}`, "", "InvalidParameterValue"},
		"taken away":              {"", "", ""},
		"ten queues":              {by + strings.Repeat(`"`+arn("q")+`",`, 9) + `"` + arn("q") + `"]}`, "", ""},
		"eleven queues":           {by + strings.Repeat(`"`+arn("q")+`",`, 10) + `"` + arn("q") + `"]}`, "InvalidParameterValue", ""},
		"by queue without any":    {`{"redrivePermission":"byQueue"}`, "InvalidParameterValue", ""},
		"queues without by queue": {`{"redrivePermission":"denyAll","sourceQueueArns":["` + arn("q") + `"]}`, "InvalidParameterValue", ""},
		"an unknown permission":   {`{"redrivePermission":"some"}`, "InvalidParameterValue", ""},
		"a wrong type":            {`{"redrivePermission":"byQueue","sourceQueueArns":"x"}`, "InvalidParameterValue", ""},
		"no JSON":                 {`x`, "InvalidAttributeValue", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("dlq", nil)
			b.create("old", redrive("dlq", 1))
			b.create("q", nil)
			_, err := b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: url("dlq"), Attributes: attributes{"RedriveAllowPolicy": c.policy}})
			if c.code != "" {
				b.wantCode(err, c.code)
				return
			}
			b.must(err)
			b.restart()
			_, err = b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url("q"), Attributes: redrive("dlq", 1)})
			if c.refused == "" {
				b.must(err)
			} else {
				b.wantCode(err, c.refused)
				_, err = b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("new"), Attributes: redrive("dlq", 1)})
				b.wantCode(err, c.refused)
			}
			// What used it before goes on, and can change in other ways.
			_, err = b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: url("old"), Attributes: attributes{"DelaySeconds": "0"}})
			b.must(err)
			b.send("old", "a")
			b.fail("old", 1)
			b.want("dlq", "a")
		})
	}
}
