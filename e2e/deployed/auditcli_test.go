//go:build e2e

package deployed

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/ledger"
)

// anAuditorCanTell walks the way of an auditor, with the command: it verifies
// the whole, proves what was done with a webhook that was replayed, checks that
// with nothing but the file and the key, and takes a copy away.
func anAuditorCanTell(t *testing.T, target *Target, s *scenario.Stack, b *book) {
	webhook, _ := replayed(t, s)
	s.AwaitEmpty(t, "audit.fifo")
	b.sign(t)
	dir := t.TempDir()
	outputs, err := json.Marshal(map[string]map[string]string{"Efferent": b.outputs})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "outputs.json"), outputs, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "efferent")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/efferent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), command, append([]string{"audit"}, args...)...)
		c.Dir, c.Env = dir, target.environment()
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	key := strings.TrimSpace(run("key", "--outputs", "outputs.json"))
	t.Log(run("verify", "--outputs", "outputs.json", "--key", key))
	run("prove", webhook, "--outputs", "outputs.json", "-o", "found")
	found := run("check", "found", "--key", key)
	run("export", "copy", "--outputs", "outputs.json", "--key", key)
	run("verify", "--dir", "copy", "--key", key)
	run("prove", webhook, "--dir", "copy", "-o", "copied")

	// By the API, which knows when to look.
	status, body, err := s.API(t.Context(), http.MethodGet, "/api/v1/audit/proofs/"+webhook, "")
	if err != nil || status != http.StatusOK {
		t.Fatalf("the API answers %d, %v: %s", status, err, body)
	}
	var answer struct {
		Items []struct {
			Proof string `json:"proof"`
		} `json:"items"`
		Waiting []string `json:"waiting"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Waiting) > 0 {
		t.Errorf("%v: %s", err, body)
	}
	var file string
	for _, item := range answer.Items {
		file += item.Proof
	}
	if err := os.WriteFile(filepath.Join(dir, "asked"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"copied", "asked"} {
		if said := run("check", name, "--key", key); lines(said) != lines(found) {
			t.Errorf("%s proves\n%s, and what was found\n%s", name, said, found)
		}
	}
	for _, action := range []string{ledger.WebhookAttempt, ledger.WebhookFailed, ledger.DLQReplay, ledger.WebhookDelivered} {
		if !strings.Contains(found, `"action":"`+action+`"`) {
			t.Errorf("no %s is proved: %s", action, found)
		}
	}
}

// lines are the entries that check shows.
func lines(said string) string {
	var all []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "{") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}
