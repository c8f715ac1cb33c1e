package efferent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

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
	trusting := synth(t, efferent.Props{Deliver: efferent.DeliverProps{CABundle: "efferent/ca"}})
	attaching := synth(t, efferent.Props{Notify: efferent.NotifyProps{Attachments: []string{"acme-files/invoices/", "acme-public"}}})
	const secrets, arn = " arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/", "arn:AWS::Partition:"
	const secret = "secretsmanager:GetSecretValue" + secrets
	const hashKeys = secret + "ledger/keys-??????"
	inSecret := synth(t, efferent.Props{Ledger: efferent.LedgerProps{KeySecret: "efferent/ledger/key"}})
	signs := append(append(readsLedger("lane-*"), logs("Checkpoint")...),
		"s3:PutObject LedgerTiles.Arn/lane-*/checkpoint", "s3:PutObject LedgerTiles.Arn/lane-*/tile/*.p/*",
		"s3:GetObject Checkpoints.Arn/lane-*", "s3:ListBucket Checkpoints.Arn", "s3:PutObject Checkpoints.Arn/lane-*",
		hashKeys, "secretsmanager:PutSecretValue"+secrets+"ledger/keys-??????",
		"secretsmanager:UpdateSecretVersionStage"+secrets+"ledger/keys-??????")
	deliver := append(append(consumes("WebhookQueue"), logs("Deliver")...),
		"sqs:SendMessage AuditQueue.Arn", "dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
		"dynamodb:Query Attempts.Arn", "dynamodb:PutItem Waiting.Arn", "dynamodb:BatchGetItem Circuits.Arn", "dynamodb:PutItem Circuits.Arn",
		"dynamodb:BatchGetItem Pace.Arn", "dynamodb:UpdateItem Pace.Arn", "dynamodb:BatchGetItem Endpoints.Arn",
		"dynamodb:PutItem Endpoints.Arn", hashKeys,
		secret+"webhooks/*")
	notify := append(consumes("NotificationQueue"), logs("Notify")...)
	notify = append(notify, "sqs:SendMessage AuditQueue.Arn",
		"dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:DeleteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
		"dynamodb:Query Attempts.Arn", "dynamodb:PutItem Waiting.Arn", "dynamodb:BatchGetItem Pace.Arn", "dynamodb:UpdateItem Pace.Arn", hashKeys,
		"dynamodb:BatchGetItem Directory.Arn", "dynamodb:GetItem Directory.Arn",
		secret+"discord-??????", secret+"slack-??????", secret+"smtp-??????", secret+"teams-??????", secret+"twilio-??????",
		secret+"webhook-??????", "sqs:SendMessage NotificationQueue.Arn")
	for name, c := range map[string]struct {
		made template
		role string
		want []string
	}{
		"deliver":               {made, "Deliver", deliver},
		"deliver with a bundle": {trusting, "Deliver", append(slices.Clone(deliver), secret+"ca-??????")},
		"notify":                {made, "Notify", notify},
		"notify with a bundle":  {trusting, "Notify", append(slices.Clone(notify), secret+"ca-??????")},
		"notify with attachments": {attaching, "Notify", append(slices.Clone(notify),
			"s3:GetObject "+arn+"s3:::acme-files/invoices/*", "s3:GetObject "+arn+"s3:::acme-public/*")},
		"notify by AWS's own services": {everything, "Notify", append(slices.Clone(notify),
			"ses:SendEmail "+arn+"ses:AWS::Region:AWS::AccountId:configuration-set/*",
			"ses:SendEmail "+arn+"ses:AWS::Region:AWS::AccountId:identity/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:phone-number/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:pool/*",
			"sms-voice:SendTextMessage "+arn+"sms-voice:AWS::Region:AWS::AccountId:sender-id/*")},
		"release": {made, "Release", append(append(each("dynamodb:", "Waiting.Arn", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem",
			"Query", "Scan"), logs("Release")...), "dynamodb:PutItem Circuits.Arn", "dynamodb:Scan Circuits.Arn",
			"dynamodb:BatchGetItem Endpoints.Arn", "sqs:SendMessage EventQueue.Arn",
			"sqs:SendMessage NotificationQueue.Arn", "sqs:SendMessage WebhookQueue.Arn")},
		"replay": {made, "Replay", slices.Concat(redrives("WebhookFailures"), redrives("NotificationFailures"), redrives("EventFailures"),
			logs("Replay"), []string{
				"dynamodb:BatchGetItem Endpoints.Arn",
				"sqs:SendMessage AuditQueue.Arn", "sqs:SendMessage EventQueue.Arn",
				"sqs:SendMessage NotificationQueue.Arn", "sqs:SendMessage WebhookQueue.Arn",
				"dynamodb:BatchGetItem Attempts.Arn", "dynamodb:DeleteItem Attempts.Arn",
				"dynamodb:PutItem Attempts.Arn", "dynamodb:Query Attempts.Arn",
				"dynamodb:BatchWriteItem Waiting.Arn", "dynamodb:DeleteItem Waiting.Arn", "dynamodb:PutItem Waiting.Arn",
				"dynamodb:Query Waiting.Arn", "dynamodb:Scan Waiting.Arn", "dynamodb:Query Attempts.Arn/index/failures",
				"dynamodb:UpdateItem Attempts.Arn", hashKeys,
				"dynamodb:BatchGetItem Circuits.Arn", "dynamodb:PutItem Circuits.Arn", "dynamodb:Scan Circuits.Arn",
				"dynamodb:GetItem Ledger.Arn", "dynamodb:Query Ledger.Arn", "s3:GetObject LedgerTiles.Arn/lane-*", "s3:ListBucket LedgerTiles.Arn",
				"s3:GetObject Checkpoints.Arn/lane-*", "s3:ListBucket Checkpoints.Arn"})},
		"fanout": {made, "Fanout", append(append(consumes("EventQueue"), logs("Fanout")...), "sqs:SendMessage AuditQueue.Arn",
			"sqs:SendMessage WebhookQueue.Arn", "dynamodb:BatchWriteItem Attempts.Arn", "dynamodb:PutItem Attempts.Arn",
			"dynamodb:Query Attempts.Arn", "dynamodb:PutItem Waiting.Arn", "dynamodb:BatchGetItem Endpoints.Arn",
			"dynamodb:PutItem Published.Arn", hashKeys)},
		"endpoints": {made, "Endpoints", append(append(each("secretsmanager:", secrets[1:]+"webhooks/*", "CreateSecret", "GetSecretValue",
			"PutSecretValue", "UpdateSecretVersionStage"), logs("Endpoints")...), "sqs:SendMessage AuditQueue.Arn",
			"sqs:SendMessage EventQueue.Arn", "sqs:SendMessage WebhookQueue.Arn", "dynamodb:Query Attempts.Arn",
			"dynamodb:Query Published.Arn", "dynamodb:Query Attempts.Arn/index/endpoints", "dynamodb:BatchGetItem Endpoints.Arn",
			"dynamodb:DeleteItem Endpoints.Arn", "dynamodb:PutItem Endpoints.Arn", "dynamodb:PutItem Published.Arn", hashKeys)},
		"directory": {made, "Directory", append(append(logs("Directory"), each("dynamodb:", "Directory.Arn", "BatchGetItem", "DeleteItem",
			"GetItem", "PutItem", "Query")...), "sqs:SendMessage AuditQueue.Arn", hashKeys)},
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
	if len(made.of("AWS::IAM::Policy"))+len(made.of("AWS::IAM::ManagedPolicy")) != 0 || len(made.of("AWS::IAM::Role")) != 9 {
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
