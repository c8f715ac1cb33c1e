package efferent_test

import (
	"debug/elf"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// stateful are the resources that hold what users would miss, by their logical ids in
// a stack of NewStack. CloudFormation makes a resource of another id anew, and lets go
// of the old one with all that is in it. So no id may ever change: not here, either.
var stateful = map[string]string{
	"EfferentAttempts750A3B63":             "AWS::DynamoDB::GlobalTable",
	"EfferentCircuits75A241D2":             "AWS::DynamoDB::GlobalTable",
	"EfferentLedgerBF15C687":               "AWS::DynamoDB::GlobalTable",
	"EfferentPace646C5D3A":                 "AWS::DynamoDB::GlobalTable",
	"EfferentDirectoryFAA02364":            "AWS::DynamoDB::GlobalTable",
	"EfferentEndpoints23AFAB06":            "AWS::DynamoDB::GlobalTable",
	"EfferentPublished264828AB":            "AWS::DynamoDB::GlobalTable",
	"EfferentWaitingCBD476A1":              "AWS::DynamoDB::GlobalTable",
	"EfferentLedgerKey4A52D6CA":            "AWS::KMS::Key",
	"EfferentCheckpoints8950A391":          "AWS::S3::Bucket",
	"EfferentLedgerTiles34AD25C7":          "AWS::S3::Bucket",
	"EfferentAuditFailures8C213B94":        "AWS::SQS::Queue",
	"EfferentAuditQueue60008960":           "AWS::SQS::Queue",
	"EfferentEventFailures8997D239":        "AWS::SQS::Queue",
	"EfferentEventQueue56B2F355":           "AWS::SQS::Queue",
	"EfferentNotificationFailures80C4EFEA": "AWS::SQS::Queue",
	"EfferentNotificationQueue272AF5EA":    "AWS::SQS::Queue",
	"EfferentWebhookFailuresB4F0FC10":      "AWS::SQS::Queue",
	"EfferentWebhookQueueA02BF0B0":         "AWS::SQS::Queue",
	"EfferentLedgerKeys5C2D7434":           "AWS::SecretsManager::Secret",
}

func TestWhatHoldsSomethingKeepsItsLogicalID(t *testing.T) {
	t.Parallel()
	for name, props := range map[string]efferent.Props{
		"nothing chosen": {},
		"much chosen": {Prefix: "prod-", Key: ownKey, Tags: map[string]string{"a": "b"}, XRay: true, WithoutAPI: true,
			VPC:    efferent.VPCProps{Subnets: []string{"subnet-1234abcd"}, SecurityGroups: []string{"sg-1234abcd"}},
			Queues: efferent.QueueProps{MaxReceiveCount: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]string{}
			for id, r := range synth(t, props).json["Resources"].(object) {
				switch kind := r.(object)["Type"].(string); kind {
				case "AWS::SQS::Queue", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key",
					"AWS::SecretsManager::Secret":
					got[id] = kind
				}
			}
			if d := cmp.Diff(stateful, got); d != "" {
				t.Errorf("a stack that is upgraded to this would lose what is in these: %s", d)
			}
		})
	}
}

// TestTwoStacksShareNothing that has a name: neither what they make, nor the secrets
// that their functions may read.
func TestTwoStacksShareNothing(t *testing.T) {
	t.Parallel()
	lambdas := built(t, elf.EM_AARCH64)
	named, stacks := map[string][]string{}, map[string]awscdk.Stack{}
	call(t, func() {
		app := newApp(t)
		for _, prefix := range []string{"blue-", "green-"} {
			secrets := "efferent/" + strings.TrimSuffix(prefix, "-") + "/"
			e, err := efferent.NewStack(app, prefix+"Efferent", efferent.Props{Prefix: prefix, Lambdas: lambdas,
				Deliver: efferent.DeliverProps{Secrets: "efferent/webhooks/" + prefix},
				Notify:  efferent.NotifyProps{Secrets: secrets},
				Ledger:  efferent.LedgerProps{KeySecret: "efferent/ledger/" + prefix + "key"}})
			if err != nil {
				t.Fatal(err)
			}
			stacks[prefix] = awscdk.Stack_Of(e.Construct)
		}
		for prefix, stack := range stacks {
			made := template{json: *assertions.Template_FromStack(stack, nil).ToJSON()}
			named[prefix] = append(physicalNames(made), secretsRead(made)...)
		}
	})
	for _, name := range named["blue-"] {
		if slices.Contains(named["green-"], name) {
			t.Errorf("both have %s", name)
		}
	}
	if all := strings.Join(named["blue-"], " "); len(named["blue-"]) < 14 || !strings.Contains(all, "efferent/blue/smtp-??????") ||
		!strings.Contains(all, "efferent/webhooks/blue-*") || !strings.Contains(all, "QueueName blue-audit.fifo") {
		t.Errorf("the names are %q", named["blue-"])
	}
}

// physicalNames are the names that a template gives, of a resource or an export: all
// others are made by CloudFormation, of the stack's own name.
func physicalNames(made template) (all []string) {
	for _, r := range made.json["Resources"].(object) {
		p, _ := r.(object)["Properties"].(object)
		for _, name := range slices.Sorted(maps.Keys(p)) {
			// An API's name names nothing, nor does a stage's or a metric's beyond what it is of.
			given := strings.HasSuffix(name, "Name") && name != "StageName" && name != "MetricName" && p["ProtocolType"] == nil
			if literal, ok := p[name].(string); given && ok {
				all = append(all, name+" "+literal)
			}
		}
	}
	for id, o := range made.json["Outputs"].(object) {
		if export := o.(object)["Export"]; export != nil {
			all = append(all, fmt.Sprint(id, " exported as ", export))
		}
	}
	return all
}

func secretsRead(made template) (all []string) {
	for _, s := range allStatements(made) {
		for _, resource := range texts(s["Resource"]) {
			if strings.Contains(resource, ":secretsmanager:") {
				all = append(all, resource)
			}
		}
	}
	return all
}
