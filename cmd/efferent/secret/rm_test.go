package secret

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
)

// TestSecretList lists names, names of keys, and dates; no value is ever shown.
func TestSecretList(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const good = scenario.SecretValue
	s.PutSecret(t, "efferent/webhooks/several", `{"ep1": "`+good+`", "note": 7, "ep2": {"current": "`+good+`"}}`)
	s.PutSecret(t, "efferent/webhooks/damaged", `{"ep1": "`+good+`"`)
	s.PutSecret(t, "efferent/webhooks/gone", good)
	s.PutSecret(t, "efferent/slack", `{"bot_token": "`+good+`"}`)
	gone := &secretsmanager.DeleteSecretInput{SecretId: aws.String("efferent/webhooks/gone")}
	if _, err := s.Secrets.DeleteSecret(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	table, note, err := s.Command("", "secret", "list", "--dev")
	if err != nil {
		t.Fatal(err, note)
	}
	commandtest.MustHold(t, "the table", table, []string{"SECRET ", "DELETED ", "KEYS", "\nefferent/slack  ", "ep1, ep2\n",
		"\nefferent/webhooks/damaged  ", "not a JSON object"})
	asJSON, _, err := s.Command("", "secret", "list", "--dev", "--json", "efferent/webhooks/")
	var list struct{ Items []Listed }
	if err != nil || json.Unmarshal([]byte(asJSON), &list) != nil || len(list.Items) != 4 {
		t.Fatalf("%v in %s", err, asJSON)
	}
	for _, i := range list.Items {
		if i.Created.IsZero() || i.Changed.IsZero() || i.Deleted.IsZero() == (i.Secret == "efferent/webhooks/gone") {
			t.Errorf("%+v", i)
		}
	}
	unread, note, err := s.Command("", "secret", "list", "--dev", "--no-keys")
	if err != nil || strings.Contains(unread, "ep1") || !strings.HasSuffix(note, " secrets whose name begins with efferent/\n") {
		t.Errorf("%v: %s%s", err, unread, note)
	}
	if strings.Contains(table+asJSON+unread, good) {
		t.Error("a secret's value is shown")
	}
}

// TestSecretRm deletes secrets, and single keys of them.
func TestSecretRm(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const good, several = scenario.SecretValue, "efferent/webhooks/several"
	s.PutSecret(t, several, `{"ep1": "`+good+`", "note": 7, "ep2": {"current": "`+good+`"}}`)
	s.PutSecret(t, "efferent/webhooks/plain", good)
	s.PutSecret(t, "efferent/smtp", `{"host": "mail.acme.test"}`)
	for _, c := range []struct{ args, says, kept string }{
		{several + "#ep1", "use --yes", `{"ep1": "` + good + `", "note": 7, "ep2": {"current": "` + good + `"}}`},
		{several + "#ep3 --yes", `key "ep3": there is no key`, `{"ep1": "` + good + `", "note": 7, "ep2": {"current": "` + good + `"}}`},
		{several + "#ep1 --yes", several + "#ep1 is gone", `{ "note": 7, "ep2": {"current": "` + good + `"}}`},
		{several + "#ep2 --yes", "is its secret's only key; delete the secret", `{ "note": 7, "ep2": {"current": "` + good + `"}}`},
		{several + " --now", "this can't be undone, and there is no terminal to ask on", `{ "note": 7, "ep2": {"current": "` + good + `"}}`},
		{several + " --recovery-days 7", "is deleted, and can be restored until ", ""},
		{several, "is deleted already", ""},
		{several + " --now --yes", several + " is gone", ""},
		{several, "there is no secret " + several + "; `efferent secret list`", ""},
		{"efferent/webhooks/plain#ep1 --yes", "not a JSON object", ""},
		{"efferent/webhooks/plain --json", `{"secret":"efferent/webhooks/plain","restorable_until":"`, ""},
		{"efferent/smtp --now -y", "From now on its channel fails", ""},
	} {
		stdout, stderr, _ := s.Command("", append([]string{"secret", "rm", "--dev"}, strings.Fields(c.args)...)...)
		if !strings.Contains(stdout+stderr, c.says) || strings.Contains(stdout+stderr, good) {
			t.Errorf("%s: %s%s; want it to tell %q", c.args, stdout, stderr, c.says)
		}
		if out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(several)}); c.kept != "" &&
			(err != nil || aws.ToString(out.SecretString) != c.kept) {
			t.Fatalf("%s: kept %q, %v", c.args, aws.ToString(out.SecretString), err)
		}
	}
}
