package demo

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
)

// sentence is one that tells of the demo and of seconds.
var sentence = regexp.MustCompile(`[^.]*\bdemo\b[^.]*\bseconds\b[^.]*`)

// TestDemosLengthIsToldAlike: README, help and pages say the same of how long the
// demo takes, and its script can keep that.
func TestDemosLengthIsToldAlike(t *testing.T) {
	t.Parallel()
	var longest time.Duration
	for _, p := range (&receiver{statuses: map[string][]int{}}).script() {
		var waits time.Duration
		for _, d := range p.delays {
			waits += d
		}
		longest = max(longest, waits)
	}
	if longest != 7*time.Second { // and a second or two for all else: measured 8.0 s
		t.Errorf("its longest act waits for %s: is %q still true?", longest, Takes)
	}
	flat := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	help := flat(commandtest.Finish(commandtest.Command("demo", "--help")).Stdout)
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, takes := range []string{Takes, NotifyTakes} {
		if !strings.Contains(help, takes) || !strings.Contains(flat(string(readme)), takes) {
			t.Errorf("help and README do not both say %q", takes)
		}
	}
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../../README.md", "../../../CHANGELOG.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, told := range sentence.FindAllString(flat(string(text)), -1) {
			if !strings.Contains(told, Takes) && !strings.Contains(told, NotifyTakes) {
				t.Errorf("%s says otherwise: %s", filepath.Base(page), told)
			}
		}
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(*demo, context.Context) error{
		"webhooks": (*demo).webhooks, "notifications": (*demo).notifications} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := runDemo(t.Context(), &out, play); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			// Its last line is a command that anybody can run.
			_, args, ok := strings.Cut(out.String(), "check them: go run ./cmd/efferent ")
			fields := strings.Fields(args)
			if !ok || len(fields) != 5 {
				t.Fatalf("it ends by %q", out.String())
			}
			t.Cleanup(func() { _ = os.Remove(fields[2]) })
			if said, err := commandtest.Command(fields...).CombinedOutput(); err != nil || !strings.HasPrefix(string(said), "sound: entry ") {
				t.Errorf("%v: %v: %s", fields, err, said)
			}
		})
	}
}
