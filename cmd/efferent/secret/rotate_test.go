package secret

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// TestRotateMakes: what a rotation makes of a secret, without a server.
func TestRotateMakes(t *testing.T) {
	t.Parallel()
	const shared, until = scenario.SecretValue, "2026-11-26T13:00:00Z"
	private, now := webhook.NewSecret("whsk_"), time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	object := `{"a": "` + shared + `", "b": {"current": "` + private + `", "previous": "x", "until": "` + until + `"}, "n": 7}`
	for label, c := range map[string]struct {
		name, text string
		graced     bool
		grace      time.Duration
		want       string // with NEW for the new key; "" where it is refused
		tells      string // the refusal, or what was done, or noted
	}{
		"one key":          {"acme", shared, false, time.Hour, "NEW", "EFFERENT_SECRET_GRACE"},
		"one private key":  {"acme", private, false, time.Hour, "NEW", "EFFERENT_SECRET_GRACE"},
		"one with a grace": {"acme", shared, true, time.Hour, "", "--grace is for a key of a JSON secret"},
		"none":             {"acme", "", false, time.Hour, "", "efferent secret put efferent/webhooks/acme"},
		"several":          {"acme", object, false, time.Hour, "", "one, by efferent/webhooks/acme#KEY, of: a, b"},
		"half an object":   {"acme", object[:40], false, time.Hour, "", "begins as JSON"},
		"no object":        {"acme#a", shared, false, time.Hour, "", "rotate that: efferent secret rotate efferent/webhooks/acme"},
		"no such key":      {"acme#c", object, false, time.Hour, "", "efferent secret put efferent/webhooks/acme#c"},
		"a number":         {"acme#n", object, false, time.Hour, "", "neither a text nor an object"},
		"a key": {"acme#a", object, true, time.Hour, `"current":"NEW","previous":"` + shared + `","until":"` + until + `"`,
			"until " + until},
		"a key, at once":     {"acme#a", object, true, 0, `{"a": {"current":"NEW"}, "b"`, "signs no more"},
		"a key with another": {"acme#b", object, false, time.Hour, `"NEW","previous":"` + private + `"`, "it would have until " + until},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			ref, err := readSecretRef("efferent/webhooks/" + c.name)
			if err != nil {
				t.Fatal(err)
			}
			r := &rotate{ref: ref, made: true, now: now, grace: c.grace, graced: c.graced}
			old := rotation.Version{Text: c.text}
			if c.text != "" {
				old.ID = "id"
			}
			got, err := r.text(old)
			if (err == nil) != (c.want != "") || err == nil && !strings.Contains(got, strings.Replace(c.want, "NEW", r.fresh, 1)) {
				t.Fatalf("it is %q, %v; want %q", got, err, c.want)
			}
			if told := fmt.Sprint(err, r.done(), r.notes); !strings.Contains(told, c.tells) || strings.Contains(told, shared[6:]) {
				t.Errorf("%q does not tell %q, or it tells the secret", told, c.tells)
			}
			if err != nil {
				return
			}
			if again, err := r.text(rotation.Version{ID: "id", Text: got}); !r.same || err != nil || again != got {
				t.Errorf("made again of its own work it is %q, %v", again, err)
			}
		})
	}
}

// TestSecretRotate rotates in dev, by the command.
func TestSecretRotate(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const good = scenario.SecretValue
	private := webhook.NewSecret("whsk_")
	s.PutSecret(t, "efferent/webhooks/one", good)
	s.PutSecret(t, "efferent/webhooks/many", `{"ep1": "`+private+`", "ep2": "`+good+`"}`)
	run := func(args ...string) (out Changed, stderr string, err error) {
		t.Helper()
		stdout, stderr, err := s.Command("", append([]string{"secret", "rotate", "--dev", "--json"}, args...)...)
		if err == nil {
			if err := json.Unmarshal([]byte(stdout), &out); err != nil {
				t.Fatalf("%q: %v", stdout, err)
			}
		}
		if strings.Contains(stdout+stderr, "whsk_") || strings.Contains(stdout+stderr, good[6:]) {
			t.Errorf("the secret is told: %q, %q", stdout, stderr)
		}
		return out, stderr, err
	}
	one, _, err := run("efferent/webhooks/one")
	if now := secretOf(s, t, "efferent/webhooks/one", rotation.Current); err != nil || !strings.HasPrefix(now, "whsec_") ||
		now != one.ReceiverKey || one.PreviousUntil != "" || secretOf(s, t, "efferent/webhooks/one", rotation.Previous) != good {
		t.Fatalf("%+v, %v", one, err)
	}
	ep1, _, err := run("efferent/webhooks/many#ep1", "--grace", "1h")
	keys, _ := signingkey.Parse(secretOf(s, t, "efferent/webhooks/many", rotation.Current))
	key, _ := keys.Key("ep1")
	made, _ := webhook.ParseSecret(key.Current)
	if err != nil || !strings.HasPrefix(ep1.ReceiverKey, "whpk_") || ep1.ReceiverKey != made.PublicKey() || key.Previous != private ||
		ep1.PreviousUntil != key.Until.Format(time.RFC3339) || ep1.Version == "" {
		t.Fatalf("%+v, %v", ep1, err)
	}
	given, _, err := run("efferent/webhooks/many#ep2", "correct horse battery staple", "--grace", "0")
	if now := secretOf(s, t, "efferent/webhooks/many", rotation.Current); err != nil || given.ReceiverKey != "" || given.PreviousUntil != "" ||
		!strings.Contains(now, `"ep2": {"current":"correct horse battery staple"}`) {
		t.Fatalf("%+v, %v", given, err)
	}
	again, _, err := run("efferent/webhooks/many#ep2", "correct horse battery staple")
	if err != nil || !again.Unchanged || again.Version != given.Version {
		t.Errorf("%+v, %v", again, err)
	}
	for _, c := range [][]string{
		{"efferent/webhooks/one", "--grace", "1h", "says (EFFERENT_SECRET_GRACE)"}, {"efferent/webhooks/many", "of: ep1, ep2"},
		{"efferent/webhooks/many#ep1", "--grace=169h", "--grace: a grace of 169h0m0s"}, {"efferent/smtp", "sign webhooks"},
		{"efferent/webhooks/one", "--generate", "x", "not both"}, {"efferent/webhooks/one", "v1,hunter2", "without v1,"},
		{"efferent/webhooks/none", "there is no secret"}, {"efferent/smpt", "did you mean"},
	} {
		if _, stderr, err := run(c[:len(c)-1]...); err == nil || !strings.Contains(stderr, c[len(c)-1]) {
			t.Errorf("%q: %v, %q", c, err, stderr)
		}
	}
	stdout, stderr, err := s.Command("", "secret", "rotate", "--dev", "efferent/webhooks/many#ep1", "--grace", "0")
	if err != nil || !strings.HasPrefix(stdout, "whpk_") || !strings.Contains(stderr, "it would have until") ||
		!strings.Contains(stderr, "signs no more") {
		t.Errorf("in words: %q, %q, %v", stdout, stderr, err)
	}
}

// secretOf is what a secret holds.
func secretOf(s *commandtest.Running, t *testing.T, name, label string) string {
	t.Helper()
	out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &label})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.SecretString)
}

// TestSecretPutTells: a key that is put over another one, and the public half of a
// private key.
func TestSecretPutTells(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	private := webhook.NewSecret("whsk_")
	for _, c := range []struct {
		args           []string
		stdout, stderr string
	}{
		{[]string{"efferent/webhooks/t#a", scenario.SecretValue}, "", "kept as efferent/webhooks/t#a\n"},
		{[]string{"efferent/webhooks/t#a", private}, "whpk_", "efferent secret rotate efferent/webhooks/t#a"},
		{[]string{"efferent/webhooks/t#a", private}, "whpk_", "kept as efferent/webhooks/t#a\n"},
		{[]string{"efferent/webhooks/t", scenario.SecretValue, "--replace", "--json"}, `{"secret":"efferent/webhooks/t","version":"`, ""},
	} {
		stdout, stderr, err := s.Command("", append([]string{"secret", "put", "--dev"}, c.args...)...)
		if err != nil || !strings.HasPrefix(stdout, c.stdout) || (stdout == "") != (c.stdout == "") || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%q: %v, %q, %q", c.args[0], err, stdout, stderr)
		}
		if c.stderr != "" && strings.Contains(stderr, "rotate") != strings.Contains(c.stderr, "rotate") {
			t.Errorf("%q: %q", c.args[0], stderr)
		}
	}
}

// TestCommandsAtOnce: keys of one tenant that many put and rotate at once.
func TestCommandsAtOnce(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const name = "efferent/webhooks/tenant"
	s.PutSecret(t, name, `{"old": "`+scenario.SecretValue+`"}`)
	commands := [][]string{{"rotate", name + "#old"}}
	for n := range 5 {
		commands = append(commands, []string{"put", "--generate", fmt.Sprintf("%s#ep%d", name, n)})
	}
	var all sync.WaitGroup
	for _, c := range commands {
		all.Go(func() {
			if _, stderr, err := s.Command("", append([]string{"secret", c[0], "--dev"}, c[1:]...)...); err != nil {
				t.Errorf("%q: %v, %q", c, err, stderr)
			}
		})
	}
	all.Wait()
	keys, err := signingkey.Parse(secretOf(s, t, name, rotation.Current))
	if err != nil || len(keys.Names()) != len(commands) {
		t.Fatalf("got %q, %v", keys.Names(), err)
	}
	if key, err := keys.Key("old"); err != nil || key.Previous != scenario.SecretValue {
		t.Errorf("the rotation is lost: %v", err)
	}
}
