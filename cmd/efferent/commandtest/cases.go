package commandtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Noon is when everything happens that an answer tells of.
var Noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Ok is an answer with a value.
func Ok(v any) Answered { return Answered{http.StatusOK, v} }

// Case is one command and what it must do. Texts in stdout and stderr must
// be there, in any order; where stdout has none it must be empty.
type Case = struct {
	Name    string
	Args    string
	Answers []Answered
	Asks    []string
	Stdout  []string
	Stderr  []string
	Code    int
}

// RunCases runs commands of a group.
func RunCases(t *testing.T, group string, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			api := ScriptAPI(t, append(c.Answers, Problem(500, "the script is over"))...)
			var args []string
			for _, a := range strings.Split(group+" "+c.Args, " ") {
				args = append(args, strings.ReplaceAll(a, "''", ""))
			}
			got := Finish(api.Prepare(args...))
			if got.Code != c.Code {
				t.Errorf("exit code %d, want %d; stderr %s", got.Code, c.Code, got.Stderr)
			}
			if len(c.Stdout) == 0 && got.Stdout != "" {
				t.Errorf("it printed %q", got.Stdout)
			}
			MustHold(t, "stdout", got.Stdout, c.Stdout)
			MustHold(t, "stderr", got.Stderr, c.Stderr)
			if strings.Contains(c.Args, "--json") && got.Stdout != "" && !json.Valid([]byte(got.Stdout)) {
				t.Errorf("stdout is no JSON: %q", got.Stdout)
			}
			api.Expect(t, c.Asks...)
		})
	}
}

// MustHold fails the test unless a text holds all of the parts.
func MustHold(t *testing.T, where, text string, parts []string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", where, part, text)
		}
	}
}

// HookSecret is the name of a secret that signs.
const HookSecret = "efferent/webhooks/acme"
