package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
)

// TestWhereTheLedgerIs: what is missing is named, and nothing is asked of AWS
// before.
func TestWhereTheLedgerIs(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "outputs.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const one = `{"Efferent": {"LedgerTable": "t", "LedgerBucket": "b", "CheckpointsBucket": "c"}, "Other": {"Url": "u"}}`
	const here = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		flags bookFlags
		says  string
	}{
		"no outputs":          {bookFlags{Outputs: "absent.json"}, "--outputs"},
		"other outputs":       {bookFlags{Outputs: write("[]")}, "cdk deploy --outputs-file"},
		"none has a ledger":   {bookFlags{Outputs: write(`{"Other": {}}`)}, "0 stacks"},
		"two have one":        {bookFlags{Outputs: write(`{"a": {"LedgerTable": "t"}, "b": {"LedgerTable": "t"}}`)}, "2 stacks"},
		"a table only":        {bookFlags{LedgerTable: "t"}, "--checkpoints-bucket"},
		"no key":              {bookFlags{LedgerTable: "t", LedgerBucket: "b", CheckpointsBucket: "c", EndpointURL: here}, "--key KEY"},
		"no key in KMS":       {bookFlags{Outputs: write(one), EndpointURL: here}, "--key KEY"},
		"no key of a ledger":  {bookFlags{Outputs: write(one), EndpointURL: here, Key: "x"}, "--key"},
		"no directory":        {bookFlags{Dir: filepath.Join(t.TempDir(), "absent")}, "--dir"},
		"no key in directory": {bookFlags{Dir: t.TempDir()}, "key.pub"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=k", "AWS_SECRET_ACCESS_KEY=s"}
			args := []string{"audit", "verify"}
			for flag, value := range map[string]string{"--dir": c.flags.Dir, "--outputs": c.flags.Outputs, "--ledger-table": c.flags.LedgerTable,
				"--ledger-bucket": c.flags.LedgerBucket, "--checkpoints-bucket": c.flags.CheckpointsBucket, "--endpoint-url": c.flags.EndpointURL,
				"--key": c.flags.Key} {
				if value != "" {
					args = append(args, flag, value)
				}
			}
			p := commandtest.Command(args...)
			p.Env = append(p.Env, env...)
			var stderr bytes.Buffer
			p.Stderr = &stderr
			err := p.Run()
			if p.ProcessState.ExitCode() != console.ExitCantTell || !strings.Contains(stderr.String(), c.says) {
				t.Errorf("%v: %s", err, stderr.String())
			}
		})
	}
}
