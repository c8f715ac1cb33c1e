package efferent_test

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

func TestPropsReachTheTemplate(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-north-1:000000000000:alarms"
	grace := 2 * time.Hour
	made := synth(t, efferent.Props{
		Prefix: "prod-", Lambdas: built(t, elf.EM_X86_64), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Queues: efferent.QueueProps{VisibilityTimeout: 10 * time.Minute, Retention: time.Hour, FailuresRetention: 2 * time.Hour,
			MaxReceiveCount: 9},
		Deliver: efferent.DeliverProps{
			FunctionProps: efferent.FunctionProps{Timeout: time.Minute, Memory: 512, LogRetention: 7},
			SourceProps:   efferent.SourceProps{BatchSize: 20, Window: 2 * time.Second, MaxConcurrency: 3},
			Secrets:       "efferent/webhooks/prod/", AllowHTTP: "loopback", AllowCIDRs: "10.0.0.0/8",
			AllowPorts: "443,8443", ProxyResolves: true,
			ExchangeTimeout: 15 * time.Second, Response: 4096, MaxHeld: time.Hour,
			CABundle: "efferent/ca", Circuits: "failures=7", SecretGrace: &grace,
		},
		Sending: efferent.SendingProps{RetryPolicies: "seed=1s", SecretTTL: time.Minute, AuditLanes: 2, Metrics: settings.AlarmMetrics,
			Proxy: "http://proxy.internal:3128"},
		Notify: efferent.NotifyProps{
			FunctionProps: efferent.FunctionProps{Timeout: 20 * time.Second, Memory: 300},
			SourceProps:   efferent.SourceProps{BatchSize: 5, MaxConcurrency: 4},
			Secrets:       "efferent/prod/",
		},
		Release: efferent.ReleaseProps{FunctionProps: efferent.FunctionProps{Timeout: 40 * time.Second, Memory: 350}},
		Replay:  efferent.ReplayProps{FunctionProps: efferent.FunctionProps{Memory: 400, LogRetention: 14}, Rate: 5, Burst: 6},
		Ledger: efferent.LedgerProps{Origin: "example.com/prod", ShowPaths: true, Retention: 20 * 24 * time.Hour,
			CheckpointLock: 60 * 24 * time.Hour, Compliance: true},
		Audit:      efferent.AuditProps{FunctionProps: efferent.FunctionProps{Memory: 600}},
		Checkpoint: efferent.CheckpointProps{FunctionProps: efferent.FunctionProps{Timeout: 3 * time.Minute}, Every: time.Minute},
		Alarms:     efferent.AlarmProps{Topic: topic, MaxAge: time.Hour, MaxAuditAge: 2 * time.Minute, MaxInFlight: 1000},
	})
	has := func(kind string, want object) { made.assert.HasResourceProperties(jsii.String(kind), want) }
	call(t, func() {
		has("AWS::SQS::Queue", object{"QueueName": "prod-webhooks", "VisibilityTimeout": 600, "MessageRetentionPeriod": 3600,
			"RedrivePolicy": object{"maxReceiveCount": 9}})
		has("AWS::SQS::Queue", object{"QueueName": "prod-audit-failures.fifo", "MessageRetentionPeriod": 7200})
		made.assert.AllResources(jsii.String("AWS::DynamoDB::GlobalTable"), object{"DeletionPolicy": "Delete"})
		for _, kind := range []string{"AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"} {
			made.assert.AllResources(jsii.String(kind), object{"DeletionPolicy": "Delete"})
		}
		has("AWS::SecretsManager::Secret", object{"Name": "efferent/ledger/prod-keys", "SecretString": "{}"})
		has("AWS::S3::Bucket", object{"ObjectLockConfiguration": object{"ObjectLockEnabled": "Enabled",
			"Rule": object{"DefaultRetention": object{"Days": 60, "Mode": "COMPLIANCE"}}}})
		has("AWS::S3::Bucket", object{"LifecycleConfiguration": object{"Rules": []object{
			{"Id": "replaced", "NoncurrentVersionExpiration": object{"NoncurrentDays": 20}},
			{"Prefix": "lane-0/tile/entries/", "ExpirationInDays": 20, "NoncurrentVersionExpiration": object{"NoncurrentDays": 20}},
			{"Prefix": "lane-1/tile/entries/", "ExpirationInDays": 20, "NoncurrentVersionExpiration": object{"NoncurrentDays": 20}},
		}}})
		has("AWS::Lambda::EventSourceMapping", object{"BatchSize": 10, "ScalingConfig": object{"MaximumConcurrency": 2}})
		has("AWS::Lambda::Function", object{"Timeout": 30, "MemorySize": 600})
		has("AWS::Events::Rule", object{"ScheduleExpression": "rate(1 minute)"})
		has("AWS::Lambda::Function", object{"Timeout": 180, "MemorySize": 512, "Environment": object{"Variables": object{
			settings.LedgerOrigin: "example.com/prod", settings.AuditLanes: "2", settings.LedgerKeysSecret: "efferent/ledger/prod-keys",
		}}})
		has("AWS::Logs::LogGroup", object{"RetentionInDays": 7})
		has("AWS::Lambda::EventSourceMapping", object{"BatchSize": 20, "MaximumBatchingWindowInSeconds": 2,
			"ScalingConfig": object{"MaximumConcurrency": 3}})
		has("AWS::Lambda::Function", object{
			"Architectures": []string{"x86_64"}, "Runtime": "provided.al2023", "Timeout": 60, "MemorySize": 512,
			"Environment": object{"Variables": object{
				settings.MaxReceives: "9", settings.RetryPolicies: "seed=1s", settings.AllowHTTP: "loopback",
				settings.AllowCIDRs: "10.0.0.0/8", settings.Timeout: "15s", settings.ResponseLimit: "4096", settings.SecretTTL: "1m0s",
				settings.AuditLanes: "2", settings.MaxHeld: "1h0m0s", settings.CABundle: "efferent/ca",
				settings.CircuitLimits: "failures=7", settings.AllowPorts: "443,8443", settings.ProxyResolves: "true",
				settings.Proxy:       "http://proxy.internal:3128",
				settings.SecretGrace: "2h0m0s", settings.LedgerShowPaths: "true", settings.LedgerKeysSecret: "efferent/ledger/prod-keys",
			}},
		})
		has("AWS::Lambda::EventSourceMapping", object{"BatchSize": 5, "ScalingConfig": object{"MaximumConcurrency": 4}})
		has("AWS::Lambda::Function", object{"Timeout": 20, "MemorySize": 300, "Environment": object{"Variables": object{
			settings.MaxReceives: "9", settings.RetryPolicies: "seed=1s", settings.SecretTTL: "1m0s", settings.AuditLanes: "2",
			settings.LedgerShowPaths: "true", settings.LedgerKeysSecret: "efferent/ledger/prod-keys",
			settings.ChannelSecrets: "efferent/prod/", settings.Proxy: "http://proxy.internal:3128",
		}}})
		has("AWS::Lambda::Function", object{"Timeout": 40, "MemorySize": 350,
			"Environment": object{"Variables": object{settings.MaxHeld: "1h0m0s", settings.Metrics: "alarms"}}})
		has("AWS::Lambda::Function", object{"Timeout": 29, "MemorySize": 400,
			"Environment": object{"Variables": object{settings.AuditLanes: "2", settings.LedgerShowPaths: "true",
				settings.LedgerKeysSecret: "efferent/ledger/prod-keys"}}})
		has("AWS::ApiGatewayV2::Stage", object{"DefaultRouteSettings": object{"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 6}})
		has("AWS::Logs::LogGroup", object{"RetentionInDays": 14})
		made.assert.AllResourcesProperties(jsii.String("AWS::CloudWatch::Alarm"),
			object{"AlarmActions": []string{topic}, "OKActions": []string{topic}})
		has("AWS::CloudWatch::Alarm", object{"MetricName": "ApproximateAgeOfOldestMessage", "Threshold": 3600})
		has("AWS::CloudWatch::Alarm", object{"MetricName": "ApproximateAgeOfOldestMessage", "Threshold": 120})
		has("AWS::CloudWatch::Alarm", object{"MetricName": "Invocations", "Period": 60, "EvaluationPeriods": 3})
		has("AWS::CloudWatch::Alarm", object{"MetricName": "ApproximateNumberOfMessagesNotVisible", "Threshold": 1000})
	})
	granted := false
	for _, s := range allStatements(made) {
		granted = granted || slices.ContainsFunc(texts(s["Resource"]), func(r string) bool {
			return strings.HasSuffix(r, ":secret:efferent/webhooks/prod/*")
		})
	}
	if !granted {
		t.Error("deliver may not read the secrets under efferent/webhooks/prod/")
	}
}

// A deployment that fails at once must not leave a table behind; one that
// worked must. The waiting room's table stays always: an upgrade that fails has
// perhaps begun to use it, and what is in it are messages. So does that of the
// circuits, which says which of them are to be let out. And
// what endpoints and people were asked for is nowhere else.
func TestWhatIsKeptStays(t *testing.T) {
	t.Parallel()
	kinds := []string{"AWS::SQS::Queue", "AWS::DynamoDB::GlobalTable", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::KMS::Key",
		"AWS::SecretsManager::Secret"}
	for id, r := range synth(t, efferent.Props{}).json["Resources"].(object) {
		r := r.(object)
		want := "RetainExceptOnCreate"
		if short(id) == "Waiting" || short(id) == "Circuits" || short(id) == "Endpoints" || short(id) == "Directory" {
			want = "Retain"
		}
		if slices.Contains(kinds, r["Type"].(string)) && (r["DeletionPolicy"] != want || r["UpdateReplacePolicy"] != "Retain") {
			t.Errorf("%s: %v and %v, want %s and Retain", short(id), r["DeletionPolicy"], r["UpdateReplacePolicy"], want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	deliver := func(p efferent.DeliverProps) efferent.Props { return efferent.Props{Deliver: p} }
	replay := func(p efferent.ReplayProps) efferent.Props { return efferent.Props{Replay: p} }
	function := func(p efferent.FunctionProps) efferent.Props {
		return deliver(efferent.DeliverProps{FunctionProps: p})
	}
	source := func(p efferent.SourceProps) efferent.Props { return deliver(efferent.DeliverProps{SourceProps: p}) }
	own := func(queues map[string]string) efferent.Props {
		return efferent.Props{Queues: efferent.QueueProps{Own: queues}}
	}
	for name, c := range map[string]struct {
		props efferent.Props
		says  []string
	}{
		"visibility below 6 timeouts": {function(efferent.FunctionProps{Timeout: 31 * time.Second}),
			[]string{"VisibilityTimeout", "31s", "3m6s"}},
		"visibility without a window": {source(efferent.SourceProps{Window: time.Second}), []string{"VisibilityTimeout", "3m1s"}},
		"short visibility": {efferent.Props{Queues: efferent.QueueProps{VisibilityTimeout: time.Minute}},
			[]string{"VisibilityTimeout", "1m0s"}},
		"big batches without a window": {source(efferent.SourceProps{BatchSize: 11}), []string{"BatchSize 11", "Window"}},
		"prefix":                       {efferent.Props{Prefix: "a.b"}, []string{`Prefix "a.b"`}},
		"long prefix":                  {efferent.Props{Prefix: strings.Repeat("a", 41)}, []string{"Prefix"}},
		"secrets elsewhere": {deliver(efferent.DeliverProps{Secrets: "prod/"}),
			[]string{`Secrets "prod/"`, "efferent/webhooks/"}},
		"a bundle elsewhere": {deliver(efferent.DeliverProps{CABundle: "/opt/ca.pem"}),
			[]string{`CABundle "/opt/ca.pem"`, "efferent/"}},
		"policies": {efferent.Props{Sending: efferent.SendingProps{RetryPolicies: "x=25h"}},
			[]string{settings.RetryPolicies, `"x"`}},
		"networks":      {deliver(efferent.DeliverProps{AllowCIDRs: "10.0.0.0"}), []string{settings.AllowCIDRs}},
		"log retention": {function(efferent.FunctionProps{LogRetention: 31}), []string{"LogRetention 31", "30 60"}},
		"receives": {efferent.Props{Queues: efferent.QueueProps{MaxReceiveCount: 1001}},
			[]string{"MaxReceiveCount 1001", "1000 at most"}},
		"few receives": {efferent.Props{Queues: efferent.QueueProps{MaxReceiveCount: 4}},
			[]string{"MaxReceiveCount 4", "at least 5"}},
		"no time to record": {function(efferent.FunctionProps{Timeout: 2 * time.Second}), []string{"Deliver", "Timeout 2s", "20s"}},
		"no time for the longest exchange": {deliver(efferent.DeliverProps{ExchangeTimeout: 21 * time.Second}),
			[]string{"Deliver", "Timeout 30s", "31s", "exchanges of up to 21s"}},
		"a hasty exchange": {deliver(efferent.DeliverProps{ExchangeTimeout: 500 * time.Millisecond}),
			[]string{settings.Timeout, "500ms"}},
		"a lengthy exchange": {efferent.Props{Queues: efferent.QueueProps{VisibilityTimeout: 10 * time.Minute}, Deliver: efferent.DeliverProps{
			FunctionProps: efferent.FunctionProps{Timeout: time.Minute}, ExchangeTimeout: 21 * time.Second}},
			[]string{settings.Timeout, "21s"}},
		"held for longer than records are kept": {deliver(efferent.DeliverProps{MaxHeld: 15 * 24 * time.Hour}),
			[]string{settings.MaxHeld, "360h"}},
		"circuits that open for no time": {deliver(efferent.DeliverProps{Circuits: "first=0s"}),
			[]string{settings.CircuitLimits, `"0s"`}},
		"a long response": {deliver(efferent.DeliverProps{Response: 4097}), []string{settings.ResponseLimit, "4097"}},
		"releasing in a hurry": {efferent.Props{Release: efferent.ReleaseProps{FunctionProps: efferent.FunctionProps{Timeout: 29 * time.Second}}},
			[]string{"Release", "Timeout 29s", "30s"}},
		"more lanes than rules": {efferent.Props{Sending: efferent.SendingProps{AuditLanes: 1000}}, []string{"AuditLanes 1000", "999"}},
		"notify in a hurry": {efferent.Props{Notify: efferent.NotifyProps{FunctionProps: efferent.FunctionProps{Timeout: 10 * time.Second}}},
			[]string{"Notify", "Timeout 10s", "20s"}},
		"notify for long": {efferent.Props{Notify: efferent.NotifyProps{FunctionProps: efferent.FunctionProps{Timeout: time.Minute}}},
			[]string{"Notify", "VisibilityTimeout", "6m0s"}},
		"an API that times out": {replay(efferent.ReplayProps{FunctionProps: efferent.FunctionProps{Timeout: 30 * time.Second}}),
			[]string{"Replay", "Timeout 30s", "29s"}},
		"an API for nobody": {replay(efferent.ReplayProps{Rate: -1}), []string{"Rate -1"}},
		"tokens for anybody": {replay(efferent.ReplayProps{JWT: &efferent.JWT{Issuer: "https://id.test"}}),
			[]string{"JWT", "Audience"}},
		"tokens by plain http": {replay(efferent.ReplayProps{JWT: &efferent.JWT{Issuer: "http://id.test", Audience: []string{"a"}}}),
			[]string{"JWT", "https"}},
		"an origin with a scheme": {efferent.Props{Ledger: efferent.LedgerProps{Origin: "https://example.com"}},
			[]string{settings.LedgerOrigin, "https://example.com"}},
		"a key elsewhere": {efferent.Props{Ledger: efferent.LedgerProps{KeySecret: "prod/key"}},
			[]string{`KeySecret "prod/key"`, "efferent/ledger/"}},
		"half a day": {efferent.Props{Ledger: efferent.LedgerProps{Retention: 36 * time.Hour}},
			[]string{"Retention 36h", "whole days"}},
		"a lock of hours": {efferent.Props{Ledger: efferent.LedgerProps{CheckpointLock: time.Hour}},
			[]string{"CheckpointLock 1h", "whole days"}},
		"signed by the second": {efferent.Props{Checkpoint: efferent.CheckpointProps{Every: 30 * time.Second}},
			[]string{"Every 30s", "minutes"}},
		"appending for long": {efferent.Props{Audit: efferent.AuditProps{FunctionProps: efferent.FunctionProps{Timeout: time.Minute}}},
			[]string{"Audit", "VisibilityTimeout", "6m0s"}},
		"memory": {function(efferent.FunctionProps{Memory: 20000}), []string{"Deliver", "Memory 20000", "128 to 10240 MiB"}},
		"little memory": {replay(efferent.ReplayProps{FunctionProps: efferent.FunctionProps{Memory: 127}}),
			[]string{"Replay", "Memory 127", "128"}},
		"longer than Lambda": {function(efferent.FunctionProps{Timeout: 16 * time.Minute}),
			[]string{"Deliver", "Timeout 16m0s", "from 1s to 15m0s"}},
		"half a second": {efferent.Props{Checkpoint: efferent.CheckpointProps{FunctionProps: efferent.FunctionProps{
			Timeout: time.Minute + time.Second/2}}}, []string{"Checkpoint", "whole seconds"}},
		"back in time": {efferent.Props{Audit: efferent.AuditProps{FunctionProps: efferent.FunctionProps{Timeout: -1}}},
			[]string{"Audit", "Timeout"}},
		"a crowd": {source(efferent.SourceProps{MaxConcurrency: 1001}),
			[]string{"Deliver", "MaxConcurrency 1001", "2 to 1000"}},
		"one at a time": {source(efferent.SourceProps{MaxConcurrency: 1}), []string{"MaxConcurrency 1", "2 to 1000"}},
		"a batch of a day": {source(efferent.SourceProps{BatchSize: 10001, Window: time.Second}),
			[]string{"BatchSize 10001", "1 to 10000"}},
		"a batch of none": {source(efferent.SourceProps{BatchSize: -1}), []string{"BatchSize -1"}},
		"a long window":   {source(efferent.SourceProps{Window: 301 * time.Second}), []string{"Window 5m1s", "5m0s"}},
		"notify in a crowd": {efferent.Props{Notify: efferent.NotifyProps{SourceProps: efferent.SourceProps{MaxConcurrency: 1001}}},
			[]string{"Notify"}},
		"hidden for a day": {efferent.Props{Queues: efferent.QueueProps{VisibilityTimeout: 24 * time.Hour}},
			[]string{"VisibilityTimeout 24h", "12h0m0s"}},
		"kept for 15 days": {efferent.Props{Queues: efferent.QueueProps{Retention: 15 * dayLong}},
			[]string{"Retention 360h", "336h0m0s"}},
		"kept for seconds": {efferent.Props{Queues: efferent.QueueProps{Retention: time.Second}}, []string{"Retention 1s", "1m0s"}},
		"failures are gone before": {efferent.Props{Queues: efferent.QueueProps{Retention: 2 * dayLong, FailuresRetention: dayLong}},
			[]string{"FailuresRetention 24h", "at least Retention, which is 48h"}},
		"a key by its alias": {efferent.Props{Key: "alias/mine"}, []string{`Key "alias/mine"`, "arn:aws:kms:"}},
		"a VPC without groups": {efferent.Props{VPC: efferent.VPCProps{Subnets: []string{"subnet-1a"}}},
			[]string{"VPC", "SecurityGroups", "1 to 5"}},
		"no subnets": {efferent.Props{VPC: efferent.VPCProps{SecurityGroups: []string{"sg-1a"}}},
			[]string{"VPC", "Subnets", "1 to 16"}},
		"a subnet by its name": {efferent.Props{VPC: efferent.VPCProps{Subnets: []string{"private"}, SecurityGroups: []string{"sg-1"}}},
			[]string{`Subnets: "private"`}},
		"channels elsewhere": {efferent.Props{Notify: efferent.NotifyProps{Secrets: "prod/"}},
			[]string{"Notify", settings.ChannelSecrets, `"prod/"`, "efferent/prod/"}},
		"ports that are none": {deliver(efferent.DeliverProps{AllowPorts: "443,web"}), []string{settings.AllowPorts, `"web"`}},
		"a proxy with a password": {efferent.Props{Sending: efferent.SendingProps{Proxy: "http://u:hush@proxy.internal"}},
			[]string{settings.Proxy, "no user name or password"}},
		"no proxy to resolve": {deliver(efferent.DeliverProps{ProxyResolves: true}), []string{settings.ProxyResolves, settings.Proxy}},
		"AWS's tags":          {efferent.Props{Tags: map[string]string{"aws:team": "a"}}, []string{`"aws:team=a"`}},
		"many tags":           {efferent.Props{Tags: manyTags(51)}, []string{"Tags: 51", "50"}},
		"strange tag":         {efferent.Props{Tags: map[string]string{"a": "<b>"}}, []string{`"a=<b>"`}},
		"an own queue that is none of ours": {own(map[string]string{"webhook": ""}),
			[]string{`"webhook"`, "webhook-failures, webhooks"}},
		"an own queue that is no queue": {own(map[string]string{"webhooks": "arn:aws:sns:eu-north-1:000000000000:w", "webhook-failures": ""}),
			[]string{"arn:aws:sns", "webhooks", "is not the ARN of a queue"}},
		"an own queue without its failures": {own(map[string]string{"webhooks": ""}),
			[]string{"webhooks and webhook-failures go together"}},
		"an own queue of the wrong kind": {own(map[string]string{"audit.fifo": "arn:aws:sqs:eu-north-1:000000000000:audit",
			"audit-failures.fifo": ""}), []string{"audit.fifo", "FIFO"}},
		"an own ledger": {efferent.Props{Tables: efferent.TableProps{Own: map[string]string{"ledger": "mine"}}},
			[]string{"Tables", `"ledger"`, "attempts, waiting, circuits, pace"}},
		"an own table that is none": {efferent.Props{Tables: efferent.TableProps{Own: map[string]string{"waiting": "a/b"}}},
			[]string{`"a/b"`}},
		"nothing built":   {efferent.Props{Lambdas: "nowhere"}, []string{"deliver/bootstrap", "make lambdas"}},
		"no program":      {efferent.Props{Lambdas: builtOf(t, []byte("#!/bin/sh"))}, []string{"no Linux program"}},
		"foreign machine": {efferent.Props{Lambdas: built(t, elf.EM_RISCV)}, []string{"EM_RISCV", "arm64"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.props, c.says...)
		})
	}
	t.Run("built for another architecture", func(t *testing.T) {
		t.Parallel()
		var x86 awslambda.Architecture
		call(t, func() { x86 = awslambda.Architecture_X86_64() })
		refused(t, function(efferent.FunctionProps{Architecture: x86}), "arm64", "Architecture is x86_64", "GOARCH_LAMBDA")
	})
}

// TestAllThatIsWrongIsToldAtOnce, part by part.
func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	refused(t, efferent.Props{Queues: efferent.QueueProps{MaxReceiveCount: 1}, Key: "k",
		Release: efferent.ReleaseProps{FunctionProps: efferent.FunctionProps{Memory: 1, LogRetention: 2}}},
		"MaxReceiveCount 1", `Key "k"`, "props of Release: prop Memory 1", "LogRetention 2")
}

func manyTags(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprint("tag", i)] = "x"
	}
	return all
}

func refused(t *testing.T, props efferent.Props, says ...string) {
	t.Helper()
	if props.Lambdas == "" {
		props.Lambdas = built(t, elf.EM_AARCH64)
	}
	var err error
	call(t, func() { _, err = efferent.NewStack(newApp(t), "Efferent", props) })
	for _, want := range says {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}
