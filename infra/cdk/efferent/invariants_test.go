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
	"github.com/efferent/efferent/internal/ledger"
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
			"FunctionResponseTypes": []string{"ReportBatchItemFailures"}, "BatchSize": 10, "FilterCriteria": assertions.Match_Absent(),
		})
		made.assert.ResourceCountIs(jsii.String("AWS::Lambda::EventSourceMapping"), jsii.Number(3))
	})
	for name, m := range made.of("AWS::Lambda::EventSourceMapping") {
		fifo := text(m["EventSourceArn"]) == "AuditQueue.Arn"
		if window := m["MaximumBatchingWindowInSeconds"]; fifo != (window == nil) || !fifo && window != 0.0 {
			t.Errorf("%s waits for %v", name, window)
		}
	}
}

// Throttled invocations use up receives: what is too much must wait instead.
func TestConcurrencyIsBoundedAtTheQueue(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for name, m := range made.of("AWS::Lambda::EventSourceMapping") {
		want := 50.0
		if text(m["EventSourceArn"]) == "AuditQueue.Arn" {
			want = ledger.DefaultLanes // a lane has one batch in flight
		}
		if got := m["ScalingConfig"].(object)["MaximumConcurrency"]; got != want {
			t.Errorf("%s: %v at a time, want %v", name, got, want)
		}
	}
	call(t, func() {
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
			if resource == "*" && s["Principal"] == nil { // in a resource's own policy it is that resource
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
	const secrets, arn = " arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/", "arn:AWS::Partition:"
	const secret = "secretsmanager:GetSecretValue" + secrets
	const hashKeys = secret + "ledger/keys-??????"
	inSecret := synth(t, efferent.Props{Ledger: efferent.LedgerProps{KeySecret: "efferent/ledger/key"}})
	signs := append(append(readsLedger("lane-*"), logs("Checkpoint")...),
		"s3:PutObject LedgerTiles.Arn/lane-*/checkpoint", "s3:PutObject LedgerTiles.Arn/lane-*/tile/*.p/*",
		"s3:GetObject Checkpoints.Arn/lane-*", "s3:ListBucket Checkpoints.Arn", "s3:PutObject Checkpoints.Arn/lane-*",
		hashKeys, "secretsmanager:PutSecretValue"+secrets+"ledger/keys-??????",
		"secretsmanager:UpdateSecretVersionStage"+secrets+"ledger/keys-??????")
	notify := append(consumes("NotificationQueue"), logs("Notify")...)
	notify = append(notify, "sqs:SendMessage AuditQueue.Arn",
		"dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:DeleteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
		"dynamodb:Query Attempts.Arn", hashKeys,
		secret+"slack-??????", secret+"smtp-??????", secret+"twilio-??????")
	for name, c := range map[string]struct {
		made template
		role string
		want []string
	}{
		"deliver": {made, "Deliver", append(append(consumes("WebhookQueue"), logs("Deliver")...),
			"sqs:SendMessage AuditQueue.Arn", "dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:Query Attempts.Arn", hashKeys,
			secret+"webhooks/*")},
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
			"dynamodb:Query Attempts.Arn/index/failures", "dynamodb:UpdateItem Attempts.Arn", hashKeys,
			"dynamodb:GetItem Ledger.Arn", "dynamodb:Query Ledger.Arn", "s3:GetObject LedgerTiles.Arn/lane-*", "s3:ListBucket LedgerTiles.Arn",
			"s3:GetObject Checkpoints.Arn/lane-*", "s3:ListBucket Checkpoints.Arn")},
		"audit": {made, "Audit", append(append(append(readsLedger("lane-*/tile/*"), consumes("AuditQueue")...), logs("Audit")...),
			"dynamodb:BatchWriteItem Ledger.Arn", "dynamodb:PutItem Ledger.Arn", "s3:PutObject LedgerTiles.Arn/lane-*/tile/*")},
		// That it may sign says the key's policy: TestTheSignerAloneSigns.
		"checkpoint":                        {made, "Checkpoint", signs},
		"checkpoint with a key in a secret": {inSecret, "Checkpoint", append(slices.Clone(signs), secret+"ledger/key-??????")},
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
	if len(made.of("AWS::IAM::Policy"))+len(made.of("AWS::IAM::ManagedPolicy")) != 0 || len(made.of("AWS::IAM::Role")) != 5 {
		t.Error("there are policies besides the roles' own, or more roles than functions")
	}
}

// readsLedger is reading the table, and of the tiles those under a path.
func readsLedger(path string) []string {
	return []string{"dynamodb:GetItem Ledger.Arn", "dynamodb:Query Ledger.Arn", "s3:GetObject LedgerTiles.Arn/" + path,
		"s3:ListBucket LedgerTiles.Arn"}
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
	if len(made.of("AWS::Lambda::Url")) > 0 {
		t.Error("there is an AWS::Lambda::Url: say in this test who may reach it")
	}
	for name, b := range made.of("AWS::S3::Bucket") {
		if d := cmp.Diff(object{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
			b["PublicAccessBlockConfiguration"]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	var invoked []string
	for _, p := range made.of("AWS::Lambda::Permission") {
		invoked = append(invoked, fmt.Sprintf("%s invokes %s for %s", p["Principal"], text(p["FunctionName"]), text(p["SourceArn"])))
	}
	slices.Sort(invoked)
	if d := cmp.Diff([]string{
		"apigateway.amazonaws.com invokes ReplayFunction.Arn for " +
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/{proxy+}",
		"events.amazonaws.com invokes CheckpointFunction.Arn for CheckpointClock.Arn",
	}, invoked); d != "" {
		t.Error(d)
	}
	for _, s := range allStatements(made) {
		who, _ := s["Principal"].(object)
		ours := who == nil || cmp.Equal(who, object{"Service": "lambda.amazonaws.com"}) || text(who["AWS"]) == "CheckpointRole.Arn" ||
			text(who["AWS"]) == "arn:AWS::Partition:iam::AWS::AccountId:root"
		if s["Effect"] == "Allow" && (s["NotPrincipal"] != nil || !ours) {
			t.Errorf("others may: %v", s)
		}
	}
}

// TestTheSignerAloneSigns: no policy of IAM can let anybody else, for a key's
// policy has the last word ("Key policies in AWS KMS").
func TestTheSignerAloneSigns(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	key := made.of("AWS::KMS::Key")["LedgerKey"]
	may := map[string][]string{}
	for _, s := range statements(key["KeyPolicy"]) {
		for _, action := range texts(s["Action"]) {
			who := text(s["Principal"].(object)["AWS"])
			may[action] = append(may[action], who)
		}
	}
	signer := []string{"CheckpointRole.Arn"}
	if !slices.Equal(may["kms:Sign"], signer) || len(may["kms:CreateGrant"]) != 0 {
		t.Errorf("they may sign: %v, and hand that on: %v", may["kms:Sign"], may["kms:CreateGrant"])
	}
	if len(may["kms:PutKeyPolicy"]) != 1 {
		t.Error("nobody can look after the key")
	}
	if key["KeySpec"] != "ECC_NIST_EDWARDS25519" || key["KeyUsage"] != "SIGN_VERIFY" || len(made.of("AWS::KMS::Key")) != 1 {
		t.Errorf("the key is %v", key)
	}
	if keys := synth(t, efferent.Props{Ledger: efferent.LedgerProps{KeySecret: "efferent/ledger/key"}}).of("AWS::KMS::Key"); len(keys) != 0 {
		t.Errorf("there are keys of KMS beside the secret: %v", keys)
	}
}

// TestTheLedgerIsKept: what may expire, and what may not.
func TestTheLedgerIsKept(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Sending: efferent.SendingProps{AuditLanes: 2}})
	buckets := made.of("AWS::S3::Bucket")
	for name, b := range buckets {
		if !cmp.Equal(b["VersioningConfiguration"], object{"Status": "Enabled"}) || b["BucketEncryption"] == nil {
			t.Errorf("%s: %v", name, b)
		}
	}
	if buckets["Checkpoints"]["LifecycleConfiguration"] != nil {
		t.Error("what was signed expires, and the newest of it may be old")
	}
	if d := cmp.Diff(object{"ObjectLockEnabled": "Enabled", "Rule": object{"DefaultRetention": object{"Days": 1.0, "Mode": "GOVERNANCE"}}},
		buckets["Checkpoints"]["ObjectLockConfiguration"]); d != "" {
		t.Error(d)
	}
	entries := func(lane string) object {
		return object{"Id": lane, "Prefix": lane + "/tile/entries/", "ExpirationInDays": 365.0, "Status": "Enabled",
			"NoncurrentVersionExpiration": object{"NoncurrentDays": 30.0}}
	}
	if d := cmp.Diff(object{"Rules": []any{
		object{"Id": "replaced", "NoncurrentVersionExpiration": object{"NoncurrentDays": 365.0}, "Status": "Enabled"},
		entries("lane-0"), entries("lane-1"),
	}}, buckets["LedgerTiles"]["LifecycleConfiguration"]); d != "" {
		t.Error(d)
	}
	if path := ledger.LaneName(1) + "/" + ledger.BundlePath(7, ledger.TileWidth); !strings.HasPrefix(path, "lane-1/tile/entries/") {
		t.Errorf("a bundle is at %s", path)
	}
	table := made.of("AWS::DynamoDB::GlobalTable")["Ledger"]
	replica := table["Replicas"].([]any)[0].(object)
	if table["BillingMode"] != "PAY_PER_REQUEST" || table["TimeToLiveSpecification"] != nil ||
		!cmp.Equal(replica["PointInTimeRecoverySpecification"], object{"PointInTimeRecoveryEnabled": true}) {
		t.Errorf("the table is %v", table)
	}
}

// TestBucketsTakeNothingButTLS is about both of them.
func TestBucketsTakeNothingButTLS(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	for _, p := range made.of("AWS::S3::BucketPolicy") {
		if got := statements(p["PolicyDocument"]); len(got) != 1 || got[0]["Effect"] != "Deny" || got[0]["Action"] != "s3:*" ||
			!cmp.Equal(got[0]["Condition"], object{"Bool": object{"aws:SecureTransport": "false"}}) {
			t.Errorf("%s: %v", text(p["Bucket"]), got)
		}
	}
	if n := len(made.of("AWS::S3::BucketPolicy")); n != 2 || len(made.of("AWS::S3::Bucket")) != n {
		t.Errorf("there are %d policies of buckets", n)
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

func (kept) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, names(slices.Collect(maps.Keys(in.Item)))
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

// keptLedger catches what the store of the ledger writes.
type keptLedger struct{ awsdynamodb.LedgerAPI }

func (keptLedger) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, names(slices.Collect(maps.Keys(in.Item)))
}

func TestLedgerTableHasTheKeysThatAreWritten(t *testing.T) {
	t.Parallel()
	table := synth(t, efferent.Props{}).of("AWS::DynamoDB::GlobalTable")["Ledger"]
	written := (&awsdynamodb.Ledger{API: keptLedger{}, Table: "t"}).Stage(t.Context(), "lane-0", ledger.Staged{})
	for i, kind := range []string{"HASH", "RANGE"} {
		key := table["KeySchema"].([]any)[i].(object)
		if name := text(key["AttributeName"]); key["KeyType"] != kind || written == nil || !strings.Contains(written.Error(), name) {
			t.Errorf("the table has the key %v, and the store writes %v", key, written)
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
	appending, err := settings.ReadAudit(env("Audit"))
	if want := (settings.Audit{AuditQueueURL: "AuditQueue", LedgerTable: "Ledger", LedgerBucket: "LedgerTiles"}); err != nil ||
		appending != want {
		t.Errorf("audit: %+v, %v", appending, err)
	}
	signing, err := settings.ReadCheckpoint(env("Checkpoint"))
	if d := cmp.Diff([]string{"Ledger", "LedgerTiles", "Checkpoints", "LedgerKey.Arn", "", "efferent/AWS::Region/AWS::AccountId/Efferent"},
		[]string{signing.LedgerTable, signing.LedgerBucket, signing.CheckpointsBucket, signing.KMSKey, signing.KeySecret, signing.Origin},
	); err != nil || d != "" || signing.AuditLanes != ledger.DefaultLanes {
		t.Errorf("checkpoint: %+v, %v: %s", signing, err, d)
	}
	for _, function := range []string{"Deliver", "Notify", "Replay", "Checkpoint"} {
		if got := env(function)(settings.LedgerKeysSecret); got != "efferent/ledger/keys" {
			t.Errorf("%s finds the keys of hashes in %q", function, got)
		}
	}
	replay, err := settings.ReadReplayPlaces(env("Replay"))
	if d := cmp.Diff([]string{"WebhookQueue", "WebhookFailures", "NotificationQueue", "NotificationFailures", "AuditQueue", "Attempts"},
		[]string{replay.WebhooksQueueURL, replay.WebhookFailuresQueueURL, replay.NotificationsQueueURL, replay.NotificationFailuresQueueURL,
			replay.AuditQueueURL, replay.AttemptsTable}); err != nil || d != "" || replay.AuditLanes != ledger.DefaultLanes {
		t.Errorf("replay: %+v, %v: %s", replay, err, d)
	}
}

// TestTheAPIFindsTheLedger: and so do those who append and sign.
func TestTheAPIFindsTheLedger(t *testing.T) {
	t.Parallel()
	functions := synth(t, efferent.Props{}).of("AWS::Lambda::Function")
	for name, want := range map[string]string{
		settings.LedgerTable: "Ledger", settings.LedgerBucket: "LedgerTiles", settings.CheckpointsBucket: "Checkpoints",
	} {
		for _, function := range []string{"Replay", "Checkpoint"} {
			all := functions[function+"Function"]["Environment"].(object)["Variables"].(object)
			if got := text(all[name]); got != want {
				t.Errorf("%s: %s is %q, want %q", function, name, got, want)
			}
		}
	}
}

func TestWhatIsWatched(t *testing.T) {
	t.Parallel()
	var got []string
	missing := map[string]string{"LedgerUnsignedAlarm": "breaching"}
	for name, a := range synth(t, efferent.Props{}).of("AWS::CloudWatch::Alarm") {
		of := text(a["Dimensions"].([]any)[0].(object)["Value"])
		got = append(got, strings.Join([]string{of, text(a["MetricName"]), text(a["ComparisonOperator"]), text(a["Threshold"])}, " "))
		if a["Metrics"] != nil || a["TreatMissingData"] != either(missing[name], "notBreaching") {
			t.Errorf("alarm %s: %v", name, a)
		}
	}
	want := []string{"NotifyFunction Misconfigured GreaterThanThreshold 0", "DeliverFunction OutcomesMissing GreaterThanThreshold 0",
		"NotifyFunction OutcomesMissing GreaterThanThreshold 0", "ReplayFunction Errors GreaterThanThreshold 0",
		"CheckpointFunction Errors GreaterThanThreshold 0", "CheckpointFunction Invocations LessThanThreshold 1"}
	for source, dead := range sources {
		oldest := "900"
		if source == "AuditQueue" {
			oldest = "600"
		}
		want = append(want, dead+".QueueName ApproximateNumberOfMessagesVisible GreaterThanThreshold 0",
			source+".QueueName ApproximateAgeOfOldestMessage GreaterThanThreshold "+oldest,
			source+".QueueName ApproximateNumberOfMessagesNotVisible GreaterThanThreshold 80000")
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func either(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
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
