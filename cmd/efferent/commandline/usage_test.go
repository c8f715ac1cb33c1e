package commandline

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
)

// TestUsageErrors: one line that says what is wrong, with which command, and a
// pointer, on standard error; exit code 2, and nothing on standard output.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	const item = "0f5c9a61"
	for args, want := range map[string]struct{ command, says string }{
		"":                              {"efferent", "which command? One of dev, worker, demo"},
		"dql list":                      {"efferent", `did you mean one of "dev", "dlq"?`},
		"dlq":                           {"efferent dlq", "which command? One of list, show, replay, rm, tasks"},
		"dlq lst":                       {"efferent dlq", `did you mean "list"?`},
		"help dlqq":                     {"efferent", `did you mean "dlq"?`},
		"help dlq lst":                  {"efferent dlq", `did you mean "list"?`},
		"dlq list --limt 3":             {"efferent dlq list", `unknown flag --limt, did you mean "--limit"?`},
		"dlq list --limit":              {"efferent dlq list", "--limit: a value is missing"},
		"dlq list --limit 0":            {"efferent dlq list", `--limit: "0" must be a number from 1 on, or all`},
		"dlq list --limit=-1":           {"efferent dlq list", `--limit: "-1" must be`},
		"dlq list --limit -1":           {"efferent dlq list", `--limit: a value is expected, not "-1"`},
		"dlq list --limit x":            {"efferent dlq list", `--limit: "x" must be`},
		"dlq list --limit 1.5":          {"efferent dlq list", `--limit: "1.5" must be`},
		"dlq list --limit 99999999999":  {"efferent dlq list", `--limit: "99999999999" must be`},
		"waiting list --limit 0":        {"efferent waiting list", "--limit: "},
		"circuits list --limit 0":       {"efferent circuits list", "--limit: "},
		"dlq list --since 0h":           {"efferent dlq list", `--since: "0h" is neither a time`},
		"dlq list --since 0d":           {"efferent dlq list", `--since: "0d" is neither a time`},
		"dlq list --until=-2h":          {"efferent dlq list", `--until: "-2h" is neither a time`},
		"dlq list --since soon":         {"efferent dlq list", `--since: "soon" is neither a time`},
		"dlq list --source bucket":      {"efferent dlq list", `--source must be one of "index", "queue", not "bucket"`},
		"dlq list --tenant=":            {"efferent dlq list", "--tenant is empty"},
		"dlq list --api a.test":         {"efferent dlq list", `--api "a.test" is not a URL`},
		"dlq show":                      {"efferent dlq show", `expected "<item>"`},
		"dlq show a b":                  {"efferent dlq show", "unexpected argument b"},
		"dlq replay":                    {"efferent dlq replay", "what is to be replayed?"},
		"dlq replay --all --rate 0":     {"efferent dlq replay", `--rate: "0" must be 1 to 500`},
		"dlq replay --all --rate=-1":    {"efferent dlq replay", `--rate: "-1" must be 1 to 500`},
		"dlq replay --all --rate 501":   {"efferent dlq replay", `--rate: "501" must be 1 to 500`},
		"dlq replay --rate 5 " + item:   {"efferent dlq replay", "--rate and --no-wait go with --all"},
		"dlq replay --all " + item:      {"efferent dlq replay", "do not go together"},
		"waiting drop":                  {"efferent waiting drop", "which messages are meant?"},
		"waiting drop --all":            {"efferent waiting drop", "use --yes"},
		"circuits open https://a.test/": {"efferent circuits open", "it needs --why=TEXT"},
		"circuits show acme":            {"efferent circuits show", "no circuit's id, and no endpoint's URL"},
		"send --url":                    {"efferent send", "--url: a value is missing"},
		"send":                          {"efferent send", "it needs --body=JSON or --body-file=FILE, --event=TYPE"},
		"secret put acme x":             {"efferent secret put", "no secret of the name"},
		"secret rotate --grace=-1h " + commandtest.HookSecret:         {"efferent secret rotate", "--grace: "},
		"secret rotate --grace=200h " + commandtest.HookSecret:        {"efferent secret rotate", "--grace: "},
		"secret rm --now --recovery-days 7 " + commandtest.HookSecret: {"efferent secret rm", "do not go together"},
		"secret rm --recovery-days 0 " + commandtest.HookSecret:       {"efferent secret rm", `--recovery-days: "0" must be 7 to 30 days`},
		"secret rm --now " + commandtest.HookSecret + "#ep1":          {"efferent secret rm", "are for whole secrets"},
		"queues create --max-receives 0":                              {"efferent queues create", "--max-receives 0"},
		"audit verify --lanes x":                                      {"efferent audit verify", `--lanes: a whole number is expected, not "x"`},
		"audit prove --wait=-1s evt_1":                                {"efferent audit prove", "--wait"},
		"completion tcsh": {"efferent completion",
			`must be one of "bash", "zsh", "fish", not "tcsh"`},
		"version now": {"efferent version", "unexpected argument now"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, commandtest.Problem(500, "a usage error asks for nothing"))
			got := commandtest.Finish(api.Prepare(strings.Fields(args)...))
			line, pointer, _ := strings.Cut(got.Stderr, "\n")
			if got.Code != console.ExitUsage || got.Stdout != "" || !strings.HasPrefix(line, want.command+": ") ||
				!strings.Contains(line, want.says) || pointer != want.command+" --help shows how it is used\n" {
				t.Errorf("exit code %d, %q, %q", got.Code, got.Stdout, got.Stderr)
			}
			api.Expect(t)
		})
	}
}

// TestHelp: what is asked for goes to standard output, and fits 80 columns.
func TestHelp(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"help": "Usage: efferent <command>", "--help": "Usage: efferent <command>", "help dlq": "Usage: efferent dlq <command>",
		"help dlq list": "Usage: efferent dlq list", "dlq list --help": "Usage: efferent dlq list", "--version": "efferent ",
		"completion --help": "source <(efferent completion bash)", "help secret rm": "--recovery-days=N",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := commandtest.Finish(commandtest.Command(strings.Fields(args)...))
			if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, says) {
				t.Errorf("exit code %d, %q, %q", got.Code, got.Stdout, got.Stderr)
			}
			for line := range strings.Lines(got.Stdout) {
				if len([]rune(line)) > 81 {
					t.Errorf("wider than 80: %q", line)
				}
			}
		})
	}
}
