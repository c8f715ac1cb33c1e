package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

func TestReadContext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		context map[string]any
		want    choices
	}{
		"nothing": {nil, choices{Stack: "Efferent"}},
		"the CDK's own": {map[string]any{"aws:cdk:version-reporting": false, "@aws-cdk/core:x": true, "cli-telemetry": false},
			choices{Stack: "Efferent"}},
		"prefix": {map[string]any{"prefix": "prod-"}, choices{Stack: "prod-Efferent", Props: efferent.Props{Prefix: "prod-"}}},
		"stack":  {map[string]any{"prefix": "prod-", "stack": "Mine"}, choices{Stack: "Mine", Props: efferent.Props{Prefix: "prod-"}}},
		"from cdk.json": {map[string]any{"maxReceiveCount": 7.0},
			choices{Stack: "Efferent", Props: efferent.Props{Queues: efferent.QueueProps{MaxReceiveCount: 7}}}},
		"a big number": {map[string]any{"maxInFlight": 1000000.0},
			choices{Stack: "Efferent", Props: efferent.Props{Alarms: efferent.AlarmProps{MaxInFlight: 1000000}}}},
		"removal": {map[string]any{"removal": "destroy"}, choices{
			Stack: "Efferent", Props: efferent.Props{RemovalPolicy: awscdk.RemovalPolicy_DESTROY}}},
		"kept": {map[string]any{"removal": "retain"}, choices{Stack: "Efferent"}},
		"duration": {map[string]any{"window": "2s"}, choices{Stack: "Efferent",
			Props: efferent.Props{Deliver: efferent.DeliverProps{SourceProps: efferent.SourceProps{Window: 2 * time.Second}}}}},
		"no grace": {map[string]any{"secretGrace": "0"}, choices{Stack: "Efferent",
			Props: efferent.Props{Deliver: efferent.DeliverProps{SecretGrace: new(time.Duration)}}}},
		"tokens": {map[string]any{"jwtIssuer": "https://id.test", "jwtAudience": "a,b"},
			choices{Stack: "Efferent", Props: efferent.Props{Replay: efferent.ReplayProps{
				JWT: &efferent.JWT{Issuer: "https://id.test", Audience: []string{"a", "b"}}}}}},
		"of all functions": {map[string]any{"logRetention": "7"}, choices{Stack: "Efferent", Props: efferent.Props{
			Deliver:    efferent.DeliverProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Notify:     efferent.NotifyProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Release:    efferent.ReleaseProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Rotate:     efferent.RotateProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Replay:     efferent.ReplayProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Fanout:     efferent.FanoutProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Register:   efferent.RegisterProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Reports:    efferent.ReportProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Audit:      efferent.AuditProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}},
			Checkpoint: efferent.CheckpointProps{FunctionProps: efferent.FunctionProps{LogRetention: 7}}}}},
		"the ledger's": {map[string]any{"checkpointLock": "720h", "checkpointCompliance": "true", "checkpointEvery": "1m"},
			choices{Stack: "Efferent", Props: efferent.Props{Checkpoint: efferent.CheckpointProps{Every: time.Minute},
				Ledger: efferent.LedgerProps{CheckpointLock: 720 * time.Hour, Compliance: true}}}},
		"rotation": {map[string]any{"rotate": "efferent/webhooks/a,efferent/webhooks/b", "rotateEvery": "30d"},
			choices{Stack: "Efferent", Props: efferent.Props{Rotate: efferent.RotateProps{
				Secrets: []string{"efferent/webhooks/a", "efferent/webhooks/b"}, Every: 720 * time.Hour}}}},
		"a list of queues": {map[string]any{"ownQueues": "webhooks=arn:q,webhook-failures"}, choices{Stack: "Efferent", Props: efferent.Props{
			Queues: efferent.QueueProps{Own: map[string]string{"webhooks": "arn:q", "webhook-failures": ""}}}}},
		"all queues": {map[string]any{"ownQueues": "all"}, choices{Stack: "Efferent", Props: efferent.Props{
			Queues: efferent.QueueProps{Own: efferent.OwnQueues()}}}},
		"tags": {map[string]any{"tags": "team=shop, cost=42"}, choices{Stack: "Efferent", Props: efferent.Props{
			Tags: map[string]string{"team": "shop", "cost": "42"}}}},
		"a VPC": {map[string]any{"subnets": "subnet-1,subnet-2", "securityGroups": "sg-1"}, choices{Stack: "Efferent", Props: efferent.Props{
			VPC: efferent.VPCProps{Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"}}}}},
		"left out": {map[string]any{"api": false, "notifications": "false"}, choices{Stack: "Efferent",
			Props: efferent.Props{WithoutAPI: true, WithoutNotifications: true}}},
		"left in": {map[string]any{"api": "true"}, choices{Stack: "Efferent"}},
		"rotation by hours": {map[string]any{"rotateEvery": "48h"},
			choices{Stack: "Efferent", Props: efferent.Props{Rotate: efferent.RotateProps{Every: 48 * time.Hour}}}},
		"a flag": {map[string]any{"ses": true}, choices{Stack: "Efferent", Props: efferent.Props{Notify: efferent.NotifyProps{SES: true}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := readContext(c.context); err != nil || !cmp.Equal(got, c.want) {
				t.Errorf("%v\n%s", err, cmp.Diff(c.want, got))
			}
		})
	}
}

func TestReadContextNamesAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := readContext(map[string]any{
		"prefx": "a", "removal": "maybe", "memory": "much", "maxConcurrency": "0", "timeout": "30", "window": "10ms", "secretTtl": "-1s",
		"ses": "perhaps", "rotateEvery": "monthly", "api": "no", "tags": "a=1,a=2", "maxconcurency": "9",
	})
	for _, want := range []string{"prefx: unknown", "prefix", "removal", `"maybe"`, `memory: "much"`, `maxConcurrency: "0"`, `timeout: "30"`,
		`"10ms"`, `secretTtl: "-1s"`, `ses: "perhaps"`, `rotateEvery: "monthly"`, `api: "no"`,
		`tags: "a=1,a=2"`, `maxconcurency: unknown; did you mean "maxConcurrency"?`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

// TestEveryNameSetsSomething holds each name to its own field: two that share
// one, or one that sets none, would be a slip.
func TestEveryNameSetsSomething(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name := range setters {
		set := ""
		for _, value := range []string{"destroy", "true", "false", "77", "77s"} {
			if got, err := readContext(map[string]any{name: value}); err == nil && set == "" {
				set = cmp.Diff(choices{Stack: "Efferent"}, got)
			}
		}
		if set == "" {
			t.Errorf("%s sets nothing", name)
		}
		if other, taken := seen[set]; taken {
			t.Errorf("%s sets what %s sets", name, other)
		}
		seen[set] = name
	}
}
