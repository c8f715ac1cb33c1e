package efferent_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/attempt"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/settings"
)

// sources are the queues, each with its own dead-letter queue.
var sources = map[string]string{
	"WebhookQueue": "WebhookFailures", "NotificationQueue": "NotificationFailures", "AuditQueue": "AuditFailures",
}

func TestFailuresAreReportedOneByOne(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::EventSourceMapping"), object{
			"FunctionResponseTypes": []string{"ReportBatchItemFailures"}, "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0,
		})
		made.assert.ResourceCountIs(jsii.String("AWS::Lambda::EventSourceMapping"), jsii.Number(1))
	})
}

// Throttled invocations use up receives: what is too much must wait instead.
func TestConcurrencyIsBoundedAtTheQueue(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::EventSourceMapping"), object{"ScalingConfig": object{"MaximumConcurrency": 50}})
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::Function"), object{"ReservedConcurrentExecutions": assertions.Match_Absent()})
	})
}

func TestVisibilityIsSixTimesTheTimeout(t *testing.T) {
	t.Parallel()
	for name, props := range map[string]efferent.Props{
		"default": {},
		"least":   {Queues: efferent.QueueProps{VisibilityTimeout: time.Minute}, Deliver: efferent.DeliverProps{FunctionProps: efferent.FunctionProps{Timeout: 10 * time.Second}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, props)
			for _, m := range made.of("AWS::Lambda::EventSourceMapping") {
				queue := made.of("AWS::SQS::Queue")[strings.TrimSuffix(text(m["EventSourceArn"]), ".Arn")]
				function := made.of("AWS::Lambda::Function")[text(m["FunctionName"])]
				if queue["VisibilityTimeout"].(float64) < 6*function["Timeout"].(float64) {
					t.Errorf("visibility timeout %v, function timeout %v", queue["VisibilityTimeout"], function["Timeout"])
				}
			}
		})
	}
}

func TestEveryQueueHasADeadLetterQueueOfItsOwn(t *testing.T) {
	t.Parallel()
	queues := synth(t, efferent.Props{Prefix: "prod-"}).of("AWS::SQS::Queue")
	if len(queues) != 2*len(sources) {
		t.Errorf("there are %d queues: say in this test what becomes of their failures", len(queues))
	}
	for source, dead := range sources {
		redrive, _ := queues[source]["RedrivePolicy"].(object)
		want := object{"deadLetterTargetArn": dead + ".Arn", "maxReceiveCount": "20"}
		if got := (object{"deadLetterTargetArn": text(redrive["deadLetterTargetArn"]), "maxReceiveCount": text(redrive["maxReceiveCount"])}); !cmp.Equal(got, want) {
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

func TestNothingIsGrantedByStar(t *testing.T) {
	t.Parallel()
	for _, s := range allStatements(synth(t, efferent.Props{})) {
		if s["Effect"] != "Allow" {
			continue
		}
		for _, action := range texts(s["Action"]) {
			if strings.Contains(action, "*") {
				t.Errorf("action %s is granted", action)
			}
		}
		for _, resource := range texts(s["Resource"]) {
			if resource == "*" {
				t.Errorf("%v is granted on everything", texts(s["Action"]))
			}
		}
		if s["NotAction"] != nil || s["NotResource"] != nil {
			t.Errorf("granted by what it is not: %v", s)
		}
	}
}

func TestDeliverMayDoThisAndNoMore(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	role := made.of("AWS::IAM::Role")["DeliverRole"]
	var got []string
	for _, p := range role["Policies"].([]any) {
		for _, s := range statements(p.(object)["PolicyDocument"]) {
			for _, action := range texts(s["Action"]) {
				got = append(got, text(s["Effect"])+" "+action+" "+strings.Join(texts(s["Resource"]), ", "))
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"Allow dynamodb:BatchWriteItem Attempts.Arn",
		"Allow dynamodb:Query Attempts.Arn",
		"Allow logs:CreateLogStream DeliverLogs.Arn",
		"Allow logs:PutLogEvents DeliverLogs.Arn",
		"Allow secretsmanager:GetSecretValue arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/webhooks/*",
		"Allow sqs:ChangeMessageVisibility WebhookQueue.Arn",
		"Allow sqs:DeleteMessage WebhookQueue.Arn",
		"Allow sqs:GetQueueAttributes WebhookQueue.Arn",
		"Allow sqs:ReceiveMessage WebhookQueue.Arn",
		"Allow sqs:SendMessage AuditQueue.Arn",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if role["ManagedPolicyArns"] != nil || len(made.of("AWS::IAM::Policy"))+len(made.of("AWS::IAM::ManagedPolicy")) != 0 {
		t.Error("there are policies besides the role's own")
	}
	if f := made.of("AWS::Lambda::Function")["DeliverFunction"]; text(f["Role"]) != "DeliverRole.Arn" || len(made.of("AWS::IAM::Role")) != 1 {
		t.Errorf("deliver has the role %s of %d", text(f["Role"]), len(made.of("AWS::IAM::Role")))
	}
}

func TestNothingIsPublic(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for _, kind := range []string{"AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::ApiGatewayV2::Api", "AWS::S3::Bucket"} {
		if len(made.of(kind)) > 0 {
			t.Errorf("there is an %s: say in this test who may reach it", kind)
		}
	}
	for _, s := range allStatements(made) {
		if s["Effect"] == "Allow" && (s["NotPrincipal"] != nil || (s["Principal"] != nil && !cmp.Equal(s["Principal"], object{"Service": "lambda.amazonaws.com"}))) {
			t.Errorf("others may: %v", s)
		}
	}
}

// kept catches what the store of attempts writes.
type kept struct{ awsdynamodb.AttemptsAPI }

func (kept) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	for _, requests := range in.RequestItems {
		return nil, names(slices.Collect(maps.Keys(requests[0].PutRequest.Item)))
	}
	return nil, nil
}

type names []string

func (n names) Error() string { return strings.Join(n, " ") }

func TestAttemptsTableHasTheKeysThatAreWritten(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.HasResourceProperties(jsii.String("AWS::DynamoDB::GlobalTable"), object{
			"BillingMode": "PAY_PER_REQUEST",
			"KeySchema": []object{
				{"AttributeName": "webhook_id", "KeyType": "HASH"}, {"AttributeName": "message_attempt", "KeyType": "RANGE"},
			},
			"TimeToLiveSpecification": object{"AttributeName": "expires_at", "Enabled": true},
		})
	})
	err := (&awsdynamodb.Attempts{API: kept{}, Table: "t"}).Put(t.Context(), []attempt.Record{{WebhookID: "w", MessageID: "m", Attempt: 1}})
	for _, name := range []string{"webhook_id", "message_attempt", "expires_at"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

func TestDeliverStartsWithItsEnvironment(t *testing.T) {
	t.Parallel()
	f := synth(t, efferent.Props{}).of("AWS::Lambda::Function")["DeliverFunction"]
	env := map[string]string{}
	for name, value := range f["Environment"].(object)["Variables"].(object) {
		env[name] = text(value)
	}
	getenv := func(name string) string { return env[name] }
	places, err := settings.ReadDeployed(getenv)
	if want := (settings.Deployed{WebhooksQueueURL: "WebhookQueue", AuditQueueURL: "AuditQueue", AttemptsTable: "Attempts"}); err != nil || places != want {
		t.Errorf("got %+v, %v", places, err)
	}
	if d, err := settings.ReadDelivery(getenv); err != nil || d.MaxReceives != settings.DefaultMaxReceives {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestEveryQueueIsWatched(t *testing.T) {
	t.Parallel()
	var got []string
	for name, a := range synth(t, efferent.Props{}).of("AWS::CloudWatch::Alarm") {
		queue := text(a["Dimensions"].([]any)[0].(object)["Value"])
		got = append(got, strings.Join([]string{queue, text(a["MetricName"]), text(a["ComparisonOperator"]), text(a["Threshold"])}, " "))
		if a["Metrics"] != nil || a["TreatMissingData"] != "notBreaching" {
			t.Errorf("alarm %s: %v", name, a)
		}
	}
	var want []string
	for source, dead := range sources {
		want = append(want, dead+".QueueName ApproximateNumberOfMessagesVisible GreaterThanThreshold 0",
			source+".QueueName ApproximateAgeOfOldestMessage GreaterThanThreshold 900",
			source+".QueueName ApproximateNumberOfMessagesNotVisible GreaterThanThreshold 80000")
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// allStatements are those of every policy in the template, on whatever
// resource it is.
func allStatements(made template) (all []object) {
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case object:
			if v["Effect"] != nil {
				all = append(all, v)
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(made.json["Resources"])
	return all
}

func statements(document any) (all []object) {
	for _, s := range document.(object)["Statement"].([]any) {
		all = append(all, s.(object))
	}
	return all
}
