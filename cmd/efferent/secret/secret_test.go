package secret

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/rotation"
)

const arnStart = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:"

func TestSecretNames(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{ // "" where it is taken
		"efferent/webhooks/acme": "", "efferent/webhooks/prod/acme": "", "efferent/webhooks/acme#ep1": "",
		"efferent/smtp": "", "efferent/slack": "", "efferent/twilio": "", "efferent/smtp#password": "",
		arnStart + "efferent/webhooks/acme-AbCdEf": "", arnStart + "efferent/webhooks/acme-AbCdEf#ep1": "",
		arnStart + "efferent/smtp-AbCdEf": "",
		"efferent/webhook/acme":           `did you mean "efferent/webhooks/acme"?`,
		"Efferent/Webhooks/acme":          `did you mean "efferent/webhooks/acme"?`,
		"eferent/webhooks/acme#ep1":       `did you mean "efferent/webhooks/acme#ep1"?`, "efferent/smpt": `did you mean "efferent/smtp"?`,
		"acme": "begin with efferent/webhooks/", "efferent/webhooks": "begin with efferent/webhooks/", "": "begin with efferent/webhooks/",
		"efferent/email": "efferent/discord, efferent/webhook configure channels", "efferent/smtp#": "is ever used",
		"efferent/webhooks/": "must be the name or ARN of a secret under efferent/webhooks/", "efferent/webhooks/a b": "Secrets Manager",
		"efferent/webhooks/acme#": "names no key", "/efferent/webhooks/acme": "did you mean",
		arnStart + "other-AbCdEf": "under efferent/webhooks/", "arn:aws:s3:::bucket": "ARN",
	} {
		if _, err := readSecretRef(text); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want it to tell %q", text, err, says)
		}
	}
}

func TestSecretValues(t *testing.T) {
	t.Parallel()
	const hooks, good = "efferent/webhooks/acme", scenario.SecretValue
	for label, c := range map[string]struct{ name, value, says, warns string }{
		"good":                     {hooks, good, "", ""},
		"plain":                    {hooks, "correct horse battery staple", "", ""},
		"short":                    {hooks, "whsec_aHVudGVyMg==", "", "the key has 7 bytes"},
		"short and plain":          {hooks, "hunter2", "", "the key has 7 bytes"},
		"long":                     {hooks, strings.Repeat("x", 65), "", "the key has 65 bytes"},
		"empty":                    {hooks, "", "empty", ""},
		"space":                    {hooks, " \n", "empty", ""},
		"a signature's prefix":     {hooks, "v1," + good, "without v1,", ""},
		"too long":                 {hooks, strings.Repeat("x", rotation.MaxText+1), "65536 bytes at most", ""},
		"not UTF-8":                {hooks, "\xff\xfe", "UTF-8", ""},
		"JSON":                     {hooks, "\n{\n \"ep1\": \"" + good + "\",\n \"ep2\": \"" + good + "\"}\n", "", ""},
		"JSON, a bad key":          {hooks, `{"ep1": "` + good + `", "ep2": "v1,` + good + `"}`, `key "ep2": unusable signing secret: `, ""},
		"JSON, capitals":           {hooks, `{"ep1": "` + good + `", "ep2": "WHSEC_x"}`, `key "ep2"`, ""},
		"JSON, a note":             {hooks, `{"ep1": "` + good + `", "at": "https://acme.test", "n": 7}`, "", `key "at": unusable`},
		"JSON, a short key":        {hooks, `{"ep1": "x"}`, "", `key "ep1": the key has 1 bytes`},
		"JSON, no key":             {hooks, `{}`, "none of its keys", ""},
		"JSON, only numbers":       {hooks, `{"ep1": 1}`, "none of its keys", ""},
		"JSON, only an empty text": {hooks, `{"ep1": ""}`, "none of its keys", ""},
		"JSON, a key twice":        {hooks, `{"ep1": "a", "ep1": "b"}`, "each key once", ""},
		"JSON, nearly":             {hooks, "{ep1: " + good + "}", "is not a JSON object", ""},
		"an array":                 {hooks, `["` + good + `"]`, "NAME#KEY", ""},
		"one key":                  {hooks + "#ep1", good, "", ""},
		"one key, bad":             {hooks + "#ep1", "Bearer " + good, "the word before it", ""},
		"one key, JSON":            {hooks + "#ep1", `{"ep1": "` + good + `"}`, "NAME#KEY", ""},
		"by ARN":                   {arnStart + hooks + "-AbCdEf", "v1," + good, "without v1,", ""},
		"by ARN without its end":   {arnStart + hooks, "v1," + good, "without v1,", ""},
		"SMTP":                     {"efferent/smtp", `{"host": "mail.acme.test"}`, "", ""},
		"SMTP, misspelt":           {"efferent/smtp", `{"hots": "mail.acme.test"}`, `"hots"`, ""},
		"SMTP by ARN":              {arnStart + "efferent/smtp-AbCdEf", `{"hots": "mail.acme.test"}`, `"hots"`, ""},
		"Slack's URL alone":        {"efferent/slack", "https://hooks.slack.com/services/T0/B0/x", "JSON object", ""},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			ref, err := readSecretRef(c.name)
			if err != nil {
				t.Fatal(err)
			}
			warnings, err := ref.check(c.value)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to tell %q", err, c.says)
			}
			warned := strings.Join(warnings, "\n")
			if (warned == "") != (c.warns == "") || !strings.Contains(warned, c.warns) {
				t.Errorf("warned %q, want %q", warned, c.warns)
			}
			if told := warned; err != nil {
				if told += err.Error(); strings.Contains(told, strings.TrimPrefix(good, "whsec_")) || strings.Contains(told, "hunter2") {
					t.Errorf("the secret is told: %q", told)
				}
			}
		})
	}
}

// TestSecretKeys sets the keys of JSON secrets one by one, against dev.
func TestSecretKeys(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const good = scenario.SecretValue
	for _, c := range []struct{ name, value, says, want string }{
		{"efferent/webhooks/j#b", good, "", `{"b":"` + good + `"}`}, // it is made
		{"efferent/webhooks/j#a", "correct horse battery staple", "", `{"b":"` + good + `","a":"correct horse battery staple"}`},
		{"efferent/webhooks/j", `{"note": {"n": 1.00}, "b": "` + good + `"}`, "", `{"note": {"n": 1.00}, "b": "` + good + `"}`},
		{"efferent/webhooks/j#b", `"quotes" within and é`, "", `{"note": {"n": 1.00}, "b": "\"quotes\" within and é"}`},
		{"efferent/webhooks/j#b", "v1," + good, "without v1,", `{"note": {"n": 1.00}, "b": "\"quotes\" within and é"}`},
		{"efferent/webhooks/j", good, "--replace", `{"note": {"n": 1.00}, "b": "\"quotes\" within and é"}`},
		{"efferent/webhooks/plain", good, "", good},
		{"efferent/webhooks/plain#a", good, "holds no JSON object", good},
		{"efferent/webhooks/plain", `{"a":"` + good + `"}`, "--replace", good},
		{"efferent/smtp", `{"host":"mail.acme.test"}`, "", `{"host":"mail.acme.test"}`},
		{"efferent/smtp#from", "ops@acme.test", "", `{"host":"mail.acme.test","from":"ops@acme.test"}`},
		{"efferent/smtp#form", "ops@acme.test", `field "form": unknown`, `{"host":"mail.acme.test","from":"ops@acme.test"}`},
	} {
		_, stderr, err := s.Command(c.value+"\n", "secret", "put", "--dev", c.name, "-")
		if (err == nil) != (c.says == "") || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: got %v, %q; want it to tell %q", c.name, err, stderr, c.says)
		}
		name, _, _ := strings.Cut(c.name, "#")
		out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name})
		if err != nil || aws.ToString(out.SecretString) != c.want {
			t.Fatalf("%s: kept %q, %v; want %q", c.name, aws.ToString(out.SecretString), err, c.want)
		}
	}
	gone := &secretsmanager.DeleteSecretInput{SecretId: aws.String("efferent/webhooks/j")}
	if _, err := s.Secrets.DeleteSecret(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	_, stderr, err := s.Command(good, "secret", "put", "--dev", "efferent/webhooks/j")
	if err == nil || !strings.Contains(stderr, "restore it") {
		t.Errorf("over a deleted one: %v, %q", err, stderr)
	}
}

// TestSecretsSign sends with secrets as they may come to stand in Secrets
// Manager. What is no key signs nothing: the message is dead, and says why.
func TestSecretsSign(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	e := scenario.NewEndpoint(t, scenario.OK)
	const good, other = scenario.SecretValue, "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI="
	for name, value := range map[string]string{
		"prefixed": "v1," + good, "quoted": `"` + good + `"`, "ended": good + "\n", "capital": "WHSEC_x", "plain": "hunter2",
		"json": `{"ep1": "` + good + `", "ep2": "` + other + `", "ep3": "v1,` + good + `"}`,
	} {
		s.PutSecret(t, "efferent/webhooks/"+name, value)
	}
	for ref, c := range map[string]struct{ signsWith, reason string }{
		"json#ep1": {signsWith: good}, "json#ep2": {signsWith: other},
		"json": {reason: "NAME#KEY"}, "json#ep3": {reason: "without v1,"}, "json#ep4": {reason: `key "ep4": there is no key`},
		"prefixed": {reason: "without v1,"}, "quoted": {reason: "quotes"}, "ended": {reason: "line break"}, "capital": {reason: "nearly"},
		"plain#ep1": {reason: "not a JSON object"}, "none": {reason: "secret not found"},
	} {
		id := strings.ReplaceAll(ref, "#", "-")
		s.Send(t, strings.Replace(scenario.Text(id, e.URL), scenario.SecretName, "efferent/webhooks/"+ref, 1))
		records := s.Attempts(t, id)
		last := records[len(records)-1]
		if c.signsWith != "" {
			got := e.Arrivals(id)
			if last.Verdict != attempt.Delivered || len(got) != 1 {
				t.Fatalf("%s: %+v, %d arrived", ref, last, len(got))
			}
			got[0].Verify(t, c.signsWith)
			continue
		}
		if last.Verdict != attempt.Permanent || len(records) != 1 || !strings.Contains(last.Reason, c.reason) ||
			strings.Contains(last.Reason, good[6:]) || len(e.Arrivals(id)) != 0 {
			t.Errorf("%s: %+v", ref, records)
		}
	}
}
