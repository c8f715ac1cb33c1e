package secret

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
)

// TestSecretIsTypedUnseen types secrets on a terminal. "\r" is Enter, "\x03"
// Ctrl-C, "\x04" Ctrl-D.
func TestSecretIsTypedUnseen(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	const good = scenario.SecretValue
	for label, c := range map[string]struct {
		name, types, kept, shows string
		code                     int
	}{
		"a key":    {"efferent/webhooks/typed", good + "\r", good, "kept as efferent/webhooks/typed", 0},
		"mistyped": {"efferent/webhooks/mended", "whsex\x7fc_" + good[6:] + "\r", good, "kept as", 0},
		"pasted JSON": {"efferent/webhooks/pasted", "\x1b[200~{\r \"ep1\": \"" + good + "\"\r}\x1b[201~\r",
			"{\n \"ep1\": \"" + good + "\"\n}", "kept as", 0},
		"JSON of two lines": {"efferent/smtp", "{\r\"host\": \"" + good + ".test\"}\r", "{\n\"host\": \"" + good + ".test\"}", "kept as", 0},
		"not whole":         {"efferent/slack", "{\"bot_token\": \"" + good + "\"\r\r", "", "is not a JSON object", 1},
		"nothing":           {"efferent/webhooks/nothing", "\r", "", "empty", 1},
		"Ctrl-C":            {"efferent/webhooks/interrupted", good + "\x03", "", "interrupted: nothing was kept", 130},
		"Ctrl-D":            {"efferent/webhooks/ended", "\x04", "", "interrupted: nothing was kept", 130},
		"no key":            {"efferent/webhooks/none", "v1," + good + "\r", "", "without v1,", 1},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			cmd := commandtest.Command("secret", "put", "--dev", c.name)
			cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+s.AWSURL)
			x := commandtest.OnTerminal(t, 120, cmd)
			x.Await("The secret for " + c.name + " (it is not shown): ")
			x.Typed(c.types)
			if code := x.End(); code != c.code || !strings.Contains(x.Shown(), c.shows) {
				t.Errorf("exit code %d, shown %q", code, x.Shown())
			}
			if strings.Contains(x.Shown(), good[6:]) {
				t.Errorf("the secret is shown: %q", x.Shown())
			}
			out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(c.name)})
			if c.kept != "" && err != nil || err == nil && aws.ToString(out.SecretString) != c.kept {
				t.Errorf("kept %q, %v; want %q", aws.ToString(out.SecretString), err, c.kept)
			}
		})
	}
}

// TestSecretIsAskedFor: where there is a terminal it is not read like a pipe, which
// shows what is typed. That would take Ctrl-D for its end, and never ask.
func TestSecretIsAskedFor(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	cmd := commandtest.Command("secret", "put", "--dev", "efferent/webhooks/asked")
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+s.AWSURL)
	x := commandtest.OnTerminal(t, 120, cmd)
	x.Typed("\x04")
	x.Await("The secret for efferent/webhooks/asked (it is not shown): ")
	_, _ = x.Control.WriteString("\x03") // it may have taken the first one for its end
	if code := x.End(); code != 130 {
		t.Errorf("exit code %d, shown %q", code, x.Shown())
	}
}
