package efferent_test

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

const dayLong = 24 * time.Hour

func TestSecretsAreRotated(t *testing.T) {
	t.Parallel()
	grace := 48 * time.Hour
	names := []string{"efferent/webhooks/acme", "efferent/webhooks/beta/eu"}
	made := synth(t, efferent.Props{
		Deliver: efferent.DeliverProps{SecretGrace: &grace},
		Rotate:  efferent.RotateProps{Secrets: names, Every: 3 * dayLong, FunctionProps: efferent.FunctionProps{Memory: 300}},
	})
	const arn = "arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:efferent/webhooks/"
	want := logs("Rotate")
	for _, secret := range []string{"acme-??????", "beta/eu-??????"} {
		want = append(want, each("secretsmanager:", arn+secret,
			"DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")...)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, granted(made.of("AWS::IAM::Role")["RotateRole"])); d != "" {
		t.Error(d)
	}
	f := made.of("AWS::Lambda::Function")["RotateFunction"]
	env := object{"Variables": object{settings.SecretGrace: "48h0m0s"}}
	if d := cmp.Diff(env, f["Environment"]); d != "" || text(f["MemorySize"]) != "300" {
		t.Error(d, f)
	}
	if d := cmp.Diff(object{
		"Action": "lambda:InvokeFunction", "FunctionName": made.of("AWS::Lambda::Permission")["RotatePermission"]["FunctionName"],
		"Principal": "secretsmanager.amazonaws.com", "SourceAccount": object{"Ref": "AWS::AccountId"},
	}, made.of("AWS::Lambda::Permission")["RotatePermission"]); d != "" {
		t.Error(d)
	}
	var schedules []string
	for id, r := range made.json["Resources"].(object) {
		if r := r.(object); r["Type"] == "AWS::SecretsManager::RotationSchedule" {
			p := r["Properties"].(object)
			schedules = append(schedules, fmt.Sprint(p["SecretId"], " ", text(p["RotationLambdaARN"]), " ", p["RotationRules"], " ",
				p["RotateImmediatelyOnUpdate"]))
			if after := texts(r["DependsOn"]); len(after) != 1 || short(after[0]) != "RotatePermission" {
				t.Errorf("%s is made before Secrets Manager may call the function: %v", id, after)
			}
		}
	}
	slices.Sort(schedules)
	const how = " RotateFunction.Arn map[AutomaticallyAfterDays:3] false"
	if d := cmp.Diff([]string{names[0] + how, names[1] + how}, schedules); d != "" {
		t.Error(d)
	}
	alarm := made.of("AWS::CloudWatch::Alarm")["RotateErrorsAlarm"]
	if alarm["MetricName"] != "Errors" || text(alarm["Dimensions"].([]any)[0].(object)["Value"]) != "RotateFunction" {
		t.Errorf("nobody hears that it fails: %v", alarm)
	}
	if outputs := fmt.Sprint(made.json["Outputs"]); !strings.Contains(outputs, "RotateFunction") ||
		!strings.Contains(outputs, "RotateLogGroup") {
		t.Error("the function is not among the outputs")
	}
}

// TestNothingIsRotatedUnasked: no function, no schedule, no alarm.
func TestNothingIsRotatedUnasked(t *testing.T) {
	t.Parallel()
	for id, r := range synth(t, efferent.Props{}).json["Resources"].(object) {
		if r.(object)["Type"] == "AWS::SecretsManager::RotationSchedule" || strings.HasPrefix(short(id), "Rotat") {
			t.Errorf("there is %s", id)
		}
	}
}

func TestRotationRefused(t *testing.T) {
	t.Parallel()
	var many []string
	for n := range 51 {
		many = append(many, fmt.Sprint("efferent/webhooks/t", n))
	}
	none := time.Duration(0)
	one := []string{"efferent/webhooks/acme"}
	for says, props := range map[string]efferent.Props{
		"no Secrets to be rotated": {Rotate: efferent.RotateProps{Every: 30 * dayLong}},
		"whole days":               {Rotate: efferent.RotateProps{Secrets: one, Every: 61 * time.Hour}},
		"up to 1000":               {Rotate: efferent.RotateProps{Secrets: one, Every: 1001 * dayLong}},
		"48h0m0s at least":         {Rotate: efferent.RotateProps{Secrets: one, Every: dayLong}},
		"24h0m0s at least": {Rotate: efferent.RotateProps{Secrets: one, Every: time.Hour},
			Deliver: efferent.DeliverProps{SecretGrace: &none}},
		"room for 50": {Rotate: efferent.RotateProps{Secrets: many}},
		"twice":       {Rotate: efferent.RotateProps{Secrets: []string{one[0], one[0]}}},
		`"efferent/webhooks/a#b" must be the name of a whole secret`: {Rotate: efferent.RotateProps{Secrets: []string{"efferent/webhooks/a#b"}}},
		`"efferent/smtp"`: {Rotate: efferent.RotateProps{Secrets: []string{"efferent/smtp"}}},
		`"arn:aws:secretsmanager:eu-north-1:123456789012:secret:efferent/webhooks/a-AbCdEf" must be the name`: {
			Rotate: efferent.RotateProps{Secrets: []string{"arn:aws:secretsmanager:eu-north-1:123456789012:secret:efferent/webhooks/a-AbCdEf"}}},
		"below efferent/webhooks/prod/": {Rotate: efferent.RotateProps{Secrets: one},
			Deliver: efferent.DeliverProps{Secrets: "efferent/webhooks/prod/"}},
	} {
		props.Lambdas = built(t, elf.EM_AARCH64)
		var err error
		call(t, func() { _, err = efferent.NewStack(newApp(t), "Efferent", props) })
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "Rotate") {
			t.Errorf("got %v, want it to tell %q", err, says)
		}
	}
}
