package efferent_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

// sources are the queues, each with its own dead-letter queue.
var sources = map[string]string{
	"WebhookQueue": "WebhookFailures", "NotificationQueue": "NotificationFailures", "AuditQueue": "AuditFailures",
	"EventQueue": "EventFailures",
}

func TestEveryQueueHasADeadLetterQueueOfItsOwn(t *testing.T) {
	t.Parallel()
	queues := synth(t, efferent.Props{Prefix: "prod-"}).of("AWS::SQS::Queue")
	if len(queues) != 2*len(sources) {
		t.Errorf("there are %d queues: say in this test what becomes of their failures", len(queues))
	}
	for source, dead := range sources {
		redrive, _ := queues[source]["RedrivePolicy"].(object)
		receives := "6"
		if source == "AuditQueue" {
			receives = "20" // nothing is drained there, and a lane waits for its first message
		}
		want := object{"deadLetterTargetArn": dead + ".Arn", "maxReceiveCount": receives}
		if got := (object{"deadLetterTargetArn": text(redrive["deadLetterTargetArn"]),
			"maxReceiveCount": text(redrive["maxReceiveCount"])}); !cmp.Equal(got, want) {
			t.Errorf("%s: %s", source, cmp.Diff(want, got))
		}
		allowed, _ := queues[dead]["RedriveAllowPolicy"].(object)
		arn := "arn:AWS::Partition:sqs:AWS::Region:AWS::AccountId:" + text(queues[source]["QueueName"])
		if allowed["redrivePermission"] != "byQueue" || !slices.Equal(texts(allowed["sourceQueueArns"]), []string{arn}) {
			t.Errorf("%s takes messages by %v, want from %s only", dead, allowed, arn)
		}
		if queues[dead]["FifoQueue"] != queues[source]["FifoQueue"] || queues[dead]["RedrivePolicy"] != nil {
			t.Errorf("%s is not of the kind of %s: %v", dead, source, queues[dead])
		}
	}
}

func TestQueuesKeepMessagesLongAndEncrypted(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::SQS::Queue"), object{
			"MessageRetentionPeriod": 14 * 24 * 60 * 60, "SqsManagedSseEnabled": true, "VisibilityTimeout": 180,
		})
		for _, name := range []string{settings.AuditQueue, settings.AuditFailuresQueue} {
			made.assert.HasResourceProperties(jsii.String("AWS::SQS::Queue"), object{
				"QueueName": name, "FifoQueue": true, "DeduplicationScope": "messageGroup",
				"FifoThroughputLimit": "perMessageGroupId", "ContentBasedDeduplication": false,
			})
		}
	})
}

func TestQueuesTakeNothingButTLS(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	var guarded []string
	for _, p := range made.of("AWS::SQS::QueuePolicy") {
		for _, s := range statements(p["PolicyDocument"]) {
			if s["Effect"] == "Deny" && s["Action"] == "sqs:*" && cmp.Equal(s["Principal"], object{"AWS": "*"}) &&
				cmp.Equal(s["Condition"], object{"Bool": object{"aws:SecureTransport": "false"}}) {
				guarded = append(guarded, strings.TrimSuffix(text(s["Resource"]), ".Arn"))
			}
		}
	}
	slices.Sort(guarded)
	if want := slices.Sorted(maps.Keys(made.of("AWS::SQS::Queue"))); !slices.Equal(guarded, want) {
		t.Errorf("TLS is asked for by %v, want all of %v", guarded, want)
	}
}
