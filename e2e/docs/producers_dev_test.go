//go:build e2e

package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/internal/webhook"
)

// TestProducers runs the programs of docs/producers.md as they stand.
func TestProducers(t *testing.T) {
	t.Parallel()
	python := os.Getenv("PYTHON")
	if python == "" {
		t.Fatal("PYTHON does not name the Python of build/clients-venv: use make test-docs")
	}
	p := newProducers(t)
	p.deliver(t, "python", "send.py", nothing, python, "send.py")
	p.deliver(t, "outbox", "outbox.py", nothing, python, "outbox.py")
	p.deliver(t, "go", "main.go", asModule(t), "go", "run", ".")
	p.deliver(t, "js", "send.mjs", linked("../clients/node/node_modules", "node_modules"), "node", "send.mjs")
}

// TestServices has an emulator's EventBridge, SNS and Step Functions send what the
// page tells them to, and reads it as deliver does.
func TestServices(t *testing.T) {
	t.Parallel()
	if os.Getenv("MINISTACK") == "" {
		t.Skip("MINISTACK is not set: make test-docs does it")
	}
	dir := t.TempDir()
	for name, text := range files(read(t, "docs/producers.md")) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("services.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("PYTHON"), script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+ministack.Start(t, false).URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// What each message is to be read as: "" as a webhook. MiniStack's EventBridge
	// passes no message group on.
	says := map[string]string{
		"eventbridge": "", "eventbridge, as it is": "input transformer", "sns": "", "sns, as it is": "raw message delivery",
		"step functions, JSONata": "", "step functions, JSONPath": "",
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var got struct{ By, Body, Group, Error string }
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		want, known := says[got.By]
		delete(says, got.By)
		m, err := webhook.Decode([]byte(got.Body))
		switch {
		case !known || got.Error != "":
			t.Errorf("%s: %s", got.By, got.Error)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", got.By, err, want)
		case want == "" && (err != nil || !bytes.Contains(m.Body, []byte("1042"))):
			t.Errorf("%s: %v: %s", got.By, err, got.Body)
		case want == "" && got.Group != "acme" && got.By != "eventbridge":
			t.Errorf("%s: the group is %q", got.By, got.Group)
		}
	}
	if len(says) > 0 {
		t.Errorf("nothing came of %v", says)
	}
}

// TestTerraformSaysTheSame: Terraform is not run here, but what it hands to
// EventBridge is what targets.json does.
func TestTerraformSaysTheSame(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/producers.md")
	var targets []struct {
		InputTransformer struct {
			InputPathsMap map[string]string
			InputTemplate string
		}
	}
	if err := json.Unmarshal([]byte(files(page)["targets.json"]), &targets); err != nil {
		t.Fatal(err)
	}
	_, hcl, _ := strings.Cut(page, "```hcl\n")
	hcl, _, _ = strings.Cut(hcl, "```")
	hcl = strings.Join(strings.Fields(hcl), " ")
	if !strings.Contains(hcl, "<<-EOT "+targets[0].InputTransformer.InputTemplate+" EOT") {
		t.Errorf("the template differs from %s", targets[0].InputTransformer.InputTemplate)
	}
	for name, path := range targets[0].InputTransformer.InputPathsMap {
		if !strings.Contains(hcl, name+` = "`+path+`"`) {
			t.Errorf("the input path %s = %s is missing", name, path)
		}
	}
}
