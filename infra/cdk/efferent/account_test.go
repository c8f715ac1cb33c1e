package efferent_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

const ownKey = "arn:aws:kms:eu-north-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef"

// TestEverythingIsKeptUnderTheKey: a kind of resource that keeps something and is not
// named here would not be.
func TestEverythingIsKeptUnderTheKey(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Key: ownKey})
	for kind, under := range map[string]func(object) any{
		"AWS::SQS::Queue":             func(p object) any { return p["KmsMasterKeyId"] },
		"AWS::Logs::LogGroup":         func(p object) any { return p["KmsKeyId"] },
		"AWS::SecretsManager::Secret": func(p object) any { return p["KmsKeyId"] },
		"AWS::DynamoDB::GlobalTable": func(p object) any {
			return p["Replicas"].([]any)[0].(object)["SSESpecification"].(object)["KMSMasterKeyId"]
		},
		"AWS::S3::Bucket": func(p object) any {
			rule := p["BucketEncryption"].(object)["ServerSideEncryptionConfiguration"].([]any)[0].(object)
			return fmt.Sprint(rule["ServerSideEncryptionByDefault"].(object)["KMSMasterKeyID"], map[any]string{true: ""}[rule["BucketKeyEnabled"]])
		},
	} {
		all := made.of(kind)
		if len(all) == 0 {
			t.Errorf("there is no %s", kind)
		}
		for name, p := range all {
			if got := under(p); got != ownKey {
				t.Errorf("%s is kept under %v", name, got)
			}
		}
	}
	const through = ".AWS::Region.AWS::URLSuffix"
	for name, role := range made.of("AWS::IAM::Role") {
		uses := 0
		for _, s := range statements(role["Policies"].([]any)[0].(object)["PolicyDocument"]) {
			if s["Resource"] != ownKey {
				continue
			}
			uses++
			want := []string{"dynamodb" + through, "s3" + through, "secretsmanager" + through, "sqs" + through}
			got := texts(s["Condition"].(object)["StringEquals"].(object)["kms:ViaService"])
			if d := cmp.Diff(want, got); d != "" || strings.Contains(strings.Join(texts(s["Action"]), ""), "*") {
				t.Errorf("%s: %s%v", name, d, s)
			}
		}
		if uses != 1 {
			t.Errorf("%s may use the key by %d statements", name, uses)
		}
	}
}

// TestLogsMayUseAKeyOfTheApp, once its policy says so, for groups of this account.
func TestLogsMayUseAKeyOfTheApp(t *testing.T) {
	t.Parallel()
	var made template
	call(t, func() {
		stack := awscdk.NewStack(newApp(t), jsii.String("Shop"), nil)
		efferent.LetLogsUse(awskms.NewKey(stack, jsii.String("EfferentKey"), nil))
		made.json = *assertions.Template_FromStack(stack, nil).ToJSON()
	})
	for _, s := range statements(made.of("AWS::KMS::Key")["Key"]["KeyPolicy"]) {
		if who := s["Principal"].(object)["Service"]; who != nil {
			condition := text(s["Condition"].(object)["ArnLike"].(object)["kms:EncryptionContext:aws:logs:arn"])
			if text(who) != "logs.AWS::Region.AWS::URLSuffix" || condition != "arn:AWS::Partition:logs:AWS::Region:AWS::AccountId:log-group:*" {
				t.Errorf("%v may, for %s", text(who), condition)
			}
			return
		}
	}
	t.Error("CloudWatch Logs may not")
}

// TestEventBridgeMayUseAKeyOfTheApp, once its policy says so, for this account.
func TestEventBridgeMayUseAKeyOfTheApp(t *testing.T) {
	t.Parallel()
	var made template
	call(t, func() {
		stack := awscdk.NewStack(newApp(t), jsii.String("Shop"), nil)
		efferent.LetEventsUse(awskms.NewKey(stack, jsii.String("EfferentKey"), nil))
		made.json = *assertions.Template_FromStack(stack, nil).ToJSON()
	})
	for _, s := range statements(made.of("AWS::KMS::Key")["Key"]["KeyPolicy"]) {
		if text(s["Principal"].(object)["Service"]) == "events.amazonaws.com" {
			of := text(s["Condition"].(object)["StringEquals"].(object)["aws:SourceAccount"])
			if got := texts(s["Action"]); of != "AWS::AccountId" || !slices.Equal(got, []string{"kms:Decrypt", "kms:GenerateDataKey"}) {
				t.Errorf("it may %v, for %s", got, of)
			}
			return
		}
	}
	t.Error("EventBridge may not")
}

func TestFunctionsRunInTheVPC(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{XRay: true, VPC: efferent.VPCProps{
		Subnets: []string{"subnet-1234abcd", "subnet-0123456789abcdef0"}, SecurityGroups: []string{"sg-1234abcd"}}})
	call(t, func() {
		made.assert.AllResourcesProperties(jsii.String("AWS::Lambda::Function"), object{
			"VpcConfig": object{"SubnetIds": []string{"subnet-1234abcd", "subnet-0123456789abcdef0"},
				"SecurityGroupIds": []string{"sg-1234abcd"}},
			"TracingConfig": object{"Mode": "Active"},
		})
	})
	for name, role := range made.of("AWS::IAM::Role") {
		var may, mayNot, traces bool
		for _, s := range statements(role["Policies"].([]any)[0].(object)["PolicyDocument"]) {
			actions := texts(s["Action"])
			if slices.Contains(actions, "ec2:CreateNetworkInterface") {
				may = may || s["Effect"] == "Allow" && s["Condition"] == nil
				mayNot = mayNot || s["Effect"] == "Deny" && cmp.Equal(s["Condition"], object{"Null": object{"lambda:SourceFunctionArn": "false"}})
			}
			traces = traces || slices.Contains(actions, "xray:PutTraceSegments")
		}
		if !may || !mayNot || !traces {
			t.Errorf("%s: Lambda may make an interface: %v, the function may not: %v, it may send traces: %v", name, may, mayNot, traces)
		}
	}
}

func TestEverythingIsTagged(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Tags: map[string]string{"team": "shop", "cost": "42"}})
	want := []any{object{"Key": "cost", "Value": "42"}, object{"Key": "team", "Value": "shop"}}
	for _, kind := range []string{"AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup",
		"AWS::IAM::Role", "AWS::SecretsManager::Secret", "AWS::CloudWatch::Alarm"} {
		for name, p := range made.of(kind) {
			if d := cmp.Diff(want, p["Tags"]); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	for name, p := range made.of("AWS::DynamoDB::GlobalTable") {
		if d := cmp.Diff(want, p["Replicas"].([]any)[0].(object)["Tags"]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestOwnQueuesAndTablesAreUsed: none is made beside them, and who may use them may
// use these.
func TestOwnQueuesAndTablesAreUsed(t *testing.T) {
	t.Parallel()
	const at = "arn:aws:sqs:eu-north-1:000000000000:"
	made := synth(t, efferent.Props{Prefix: "prod-",
		Queues: efferent.QueueProps{Own: map[string]string{"webhooks": at + "mine", "webhook-failures": at + "my-failures",
			"audit.fifo": "", "audit-failures.fifo": ""}},
		Tables: efferent.TableProps{Own: map[string]string{"waiting": "old-room",
			"circuits": "arn:aws:dynamodb:eu-north-1:000000000000:table/old-circuits"}}})
	for kind, want := range map[string][]string{
		"AWS::SQS::Queue":            {"EventFailures", "EventQueue", "NotificationFailures", "NotificationQueue"},
		"AWS::DynamoDB::GlobalTable": {"Attempts", "Directory", "Endpoints", "Ledger", "Pace", "Published"},
	} {
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(made.of(kind)))); d != "" {
			t.Error(d)
		}
	}
	sources := map[string]string{}
	for name, p := range made.of("AWS::Lambda::EventSourceMapping") {
		sources[name] = text(p["EventSourceArn"])
	}
	if d := cmp.Diff(map[string]string{"DeliverSource": at + "mine", "NotifySource": "NotificationQueue.Arn", "FanoutSource": "EventQueue.Arn",
		"AuditFeed": "arn:AWS::Partition:sqs:AWS::Region:AWS::AccountId:prod-audit.fifo"}, sources); d != "" {
		t.Error(d)
	}
	deliver := strings.Join(granted(made.of("AWS::IAM::Role")["DeliverRole"]), "\n")
	for _, want := range []string{"sqs:DeleteMessage " + at + "mine",
		"dynamodb:PutItem arn:AWS::Partition:dynamodb:AWS::Region:AWS::AccountId:table/old-room",
		"dynamodb:BatchGetItem arn:aws:dynamodb:eu-north-1:000000000000:table/old-circuits",
		"sqs:SendMessage arn:AWS::Partition:sqs:AWS::Region:AWS::AccountId:prod-audit.fifo"} {
		if !strings.Contains(deliver, want) {
			t.Errorf("deliver may not %s:\n%s", want, deliver)
		}
	}
}
