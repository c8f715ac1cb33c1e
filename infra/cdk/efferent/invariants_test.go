package efferent_test

import (
	"context"
	"encoding/json"
	"fmt"
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
		made.assert.ResourceCountIs(jsii.String("AWS::Lambda::EventSourceMapping"), jsii.Number(2))
	})
}

// Throttled invocations use up receives: what is too much must wait instead.
func TestConcurrencyIsBoundedAtTheQueue(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::EventSourceMapping"),
			object{"ScalingConfig": object{"MaximumConcurrency": 50}})
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::Function"),
			object{"ReservedConcurrentExecutions": assertions.Match_Absent()})
	})
}

func TestVisibilityIsSixTimesTheTimeout(t *testing.T) {
	t.Parallel()
	for name, props := range map[string]efferent.Props{
		"default": {},
		"least": {
			Queues:  efferent.QueueProps{VisibilityTimeout: 2 * time.Minute},
			Deliver: efferent.DeliverProps{FunctionProps: efferent.FunctionProps{Timeout: 20 * time.Second}},
			Notify:  efferent.NotifyProps{FunctionProps: efferent.FunctionProps{Timeout: 20 * time.Second}},
		},
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

func TestFunctionsMayDoThisAndNoMore(t *testing.T) {
	t.Parallel()
	everything := synth(t, efferent.Props{Notify: efferent.NotifyProps{SES: true, EndUserMessaging: true}})
	made := synth(t, efferent.Props{})
	const secret, arn = "secretsmanager:GetSecretValue arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/",
		"arn:AWS::Partition:"
	notify := append(consumes("NotificationQueue"), logs("Notify")...)
	notify = append(notify, "sqs:SendMessage AuditQueue.Arn",
		"dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:DeleteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
		"dynamodb:Query Attempts.Arn",
		secret+"slack-??????", secret+"smtp-??????", secret+"twilio-??????")
	for name, c := range map[string]struct {
		made template
		role string
		want []string
	}{
		"deliver": {made, "Deliver", append(append(consumes("WebhookQueue"), logs("Deliver")...),
			"sqs:SendMessage AuditQueue.Arn", "dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:Query Attempts.Arn", secret+"webhooks/*")},
		"notify": {made, "Notify", notify},
		"notify by AWS's own services": {everything, "Notify", append(slices.Clone(notify),
			"ses:SendEmail "+arn+"ses:AWS::Region:AWS::AccountId:configuration-set/*",
			"ses:SendEmail "+arn+"ses:AWS::Region:AWS::AccountId:identity/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:phone-number/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:pool/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:sender-id/*")},
		"replay": {made, "Replay", append(append(append(redrives("WebhookFailures"), redrives("NotificationFailures")...), logs("Replay")...),
			"sqs:SendMessage AuditQueue.Arn", "sqs:SendMessage NotificationQueue.Arn", "sqs:SendMessage WebhookQueue.Arn",
			"dynamodb:BatchGetItem Attempts.Arn", "dynamodb:DeleteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn", "dynamodb:Query Attempts.Arn",
			"dynamodb:Query Attempts.Arn/index/failures", "dynamodb:UpdateItem Attempts.Arn")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			role := c.made.of("AWS::IAM::Role")[c.role+"Role"]
			slices.Sort(c.want)
			if d := cmp.Diff(c.want, granted(role)); d != "" {
				t.Error(d)
			}
			if f := c.made.of("AWS::Lambda::Function")[c.role+"Function"]; text(f["Role"]) != c.role+"Role.Arn" || role["ManagedPolicyArns"] != nil {
				t.Errorf("it has the role %s: %v", text(f["Role"]), role)
			}
		})
	}
	if len(made.of("AWS::IAM::Policy"))+len(made.of("AWS::IAM::ManagedPolicy")) != 0 || len(made.of("AWS::IAM::Role")) != 3 {
		t.Error("there are policies besides the roles' own, or more roles than functions")
	}
}

func consumes(queue string) []string {
	return each("sqs:", queue+".Arn", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
}

func redrives(queue string) []string {
	return append(consumes(queue), each("sqs:", queue+".Arn", "CancelMessageMoveTask", "ListMessageMoveTasks", "StartMessageMoveTask")...)
}

func logs(function string) []string {
	return each("logs:", function+"Logs.Arn", "CreateLogStream", "PutLogEvents")
}

func each(service, resource string, actions ...string) (all []string) {
	for _, a := range actions {
		all = append(all, service+a+" "+resource)
	}
	return all
}

// granted is what a role allows, an action and a resource each.
func granted(role object) (all []string) {
	for _, p := range role["Policies"].([]any) {
		for _, s := range statements(p.(object)["PolicyDocument"]) {
			for _, action := range texts(s["Action"]) {
				for _, resource := range texts(s["Resource"]) {
					if s["Effect"] != "Allow" || s["Condition"] != nil {
						action = fmt.Sprint(s)
					}
					all = append(all, action+" "+resource)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestNobodyReachesTheAPIUnasked: every route there is has an authoriser.
func TestNobodyReachesTheAPIUnasked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		props efferent.Props
		want  object
	}{
		"IAM": {efferent.Props{}, object{"AuthorizationType": "AWS_IAM"}},
		"tokens": {efferent.Props{Replay: efferent.ReplayProps{JWT: &efferent.JWT{Issuer: "https://id.test", Audience: []string{"efferent"}}}},
			object{"AuthorizationType": "JWT"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, c.props)
			call(t, func() {
				made.assert.AllResourcesProperties(jsii.String("AWS::ApiGatewayV2::Route"), c.want)
				made.assert.ResourceCountIs(jsii.String("AWS::ApiGatewayV2::Route"), jsii.Number(1))
				made.assert.AllResourcesProperties(jsii.String("AWS::ApiGatewayV2::Stage"), object{
					"StageName": "$default", "AutoDeploy": true, "DefaultRouteSettings": object{"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100},
				})
				made.assert.ResourceCountIs(jsii.String("AWS::ApiGatewayV2::Stage"), jsii.Number(1))
			})
			tokens := made.of("AWS::ApiGatewayV2::Authorizer")
			if name == "IAM" && len(tokens) != 0 {
				t.Errorf("tokens are taken: %v", tokens)
			}
			for _, a := range tokens {
				if d := cmp.Diff(object{"Issuer": "https://id.test", "Audience": []any{"efferent"}}, a["JwtConfiguration"]); d != "" ||
					a["AuthorizerType"] != "JWT" {
					t.Errorf("%v: %s", a, d)
				}
			}
		})
	}
}

// TestCallsAreLogged: who called, and no query, which may hold a URL.
func TestCallsAreLogged(t *testing.T) {
	t.Parallel()
	stage := synth(t, efferent.Props{}).of("AWS::ApiGatewayV2::Stage")["ApiStage"]
	settings := stage["AccessLogSettings"].(object)
	format := text(settings["Format"])
	if text(settings["DestinationArn"]) != "ApiLogs.Arn" || !json.Valid([]byte(format)) ||
		!strings.Contains(format, "$context.identity.userArn") || strings.Contains(strings.ToLower(format), "query") {
		t.Errorf("the access log is %v", settings)
	}
}

func TestNothingIsPublic(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for _, kind := range []string{"AWS::Lambda::Url", "AWS::S3::Bucket"} {
		if len(made.of(kind)) > 0 {
			t.Errorf("there is an %s: say in this test who may reach it", kind)
		}
	}
	for name, p := range made.of("AWS::Lambda::Permission") {
		source := text(p["SourceArn"])
		if p["Principal"] != "apigateway.amazonaws.com" || text(p["FunctionName"]) != "ReplayFunction.Arn" ||
			source != "arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/{proxy+}" {
			t.Errorf("%s: %v may invoke %s", name, source, text(p["FunctionName"]))
		}
	}
	for _, s := range allStatements(made) {
		if s["Effect"] == "Allow" && (s["NotPrincipal"] != nil ||
			(s["Principal"] != nil && !cmp.Equal(s["Principal"], object{"Service": "lambda.amazonaws.com"}))) {
			t.Errorf("others may: %v", s)
		}
	}
}

// kept catches what the store of attempts writes.
type kept struct{ awsdynamodb.AttemptsAPI }

func (kept) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.BatchWriteItemOutput, error) {
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
			"GlobalSecondaryIndexes": []object{{
				"IndexName": "failures", "Projection": object{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"record"}},
				"KeySchema": []object{{"AttributeName": "failed_in", "KeyType": "HASH"}, {"AttributeName": "failed_at", "KeyType": "RANGE"}},
			}},
			"TimeToLiveSpecification": object{"AttributeName": "expires_at", "Enabled": true},
		})
	})
	err := (&awsdynamodb.Attempts{API: kept{}, Table: "t"}).Put(
		t.Context(), []attempt.Record{{WebhookID: "w", MessageID: "m", Attempt: 1, Verdict: attempt.Permanent}})
	for _, name := range []string{"webhook_id", "message_attempt", "expires_at", "failed_in", "failed_at", "record"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the store writes no %s: %v", name, err)
		}
	}
}

func TestFunctionsStartWithTheirEnvironments(t *testing.T) {
	t.Parallel()
	functions := synth(t, efferent.Props{}).of("AWS::Lambda::Function")
	env := func(function string) func(string) string {
		all := functions[function+"Function"]["Environment"].(object)["Variables"].(object)
		return func(name string) string {
			if all[name] == nil {
				return ""
			}
			return text(all[name])
		}
	}
	deployed, err := settings.ReadDeliverPlaces(env("Deliver"))
	if want := (settings.DeliverPlaces{WebhooksQueueURL: "WebhookQueue", AuditQueueURL: "AuditQueue",
		AttemptsTable: "Attempts"}); err != nil ||
		deployed != want {
		t.Errorf("deliver: %+v, %v", deployed, err)
	}
	if d, err := settings.ReadWebhooks(env("Deliver")); err != nil || d.MaxReceives != settings.DefaultMaxReceives {
		t.Errorf("deliver: %+v, %v", d, err)
	}
	notifying, err := settings.ReadNotifyPlaces(env("Notify"))
	if want := (settings.NotifyPlaces{NotificationsQueueURL: "NotificationQueue", AuditQueueURL: "AuditQueue",
		AttemptsTable: "Attempts"}); err != nil || notifying != want {
		t.Errorf("notify: %+v, %v", notifying, err)
	}
	if n, err := settings.ReadNotifications(env("Notify")); err != nil || n.MaxReceives != settings.DefaultMaxReceives {
		t.Errorf("notify: %+v, %v", n, err)
	}
	replay, err := settings.ReadReplayPlaces(env("Replay"))
	if want := (settings.ReplayPlaces{
		WebhooksQueueURL: "WebhookQueue", WebhookFailuresQueueURL: "WebhookFailures", NotificationsQueueURL: "NotificationQueue",
		NotificationFailuresQueueURL: "NotificationFailures", AuditQueueURL: "AuditQueue", AttemptsTable: "Attempts", AuditLanes: 4,
	}); err != nil || replay != want {
		t.Errorf("replay: %+v, %v", replay, err)
	}
}

func TestWhatIsWatched(t *testing.T) {
	t.Parallel()
	var got []string
	for name, a := range synth(t, efferent.Props{}).of("AWS::CloudWatch::Alarm") {
		of := text(a["Dimensions"].([]any)[0].(object)["Value"])
		got = append(got, strings.Join([]string{of, text(a["MetricName"]), text(a["ComparisonOperator"]), text(a["Threshold"])}, " "))
		if a["Metrics"] != nil || a["TreatMissingData"] != "notBreaching" {
			t.Errorf("alarm %s: %v", name, a)
		}
	}
	want := []string{"NotifyFunction Misconfigured GreaterThanThreshold 0", "ReplayFunction Errors GreaterThanThreshold 0"}
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
