package efferent_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

var update = flag.Bool("update", false, "write the golden template anew")

// TestGolden shows in a diff what a change does to what is deployed. Look at
// the diff, then run it with -update.
func TestGolden(t *testing.T) {
	t.Parallel()
	golden(t, "template.json", synth(t, efferent.Props{}))
}

// golden compares a template with one of testdata.
func golden(t *testing.T, name string, made template) {
	t.Helper()
	path, got := filepath.Join("testdata", name), made.json
	if *update {
		b, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want object
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the template is another one; go test ./infra/cdk/efferent -run TestGolden -update takes it:\n%s", d)
	}
}
