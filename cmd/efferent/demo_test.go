package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
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
		t.Errorf("its longest act waits for %s: is %q still true?", longest, demoTakes)
	}
	flat := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	help := flat(finish(command("demo", "--help")).stdout)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, takes := range []string{demoTakes, demoNotifyTakes} {
		if !strings.Contains(help, takes) || !strings.Contains(flat(string(readme)), takes) {
			t.Errorf("help and README do not both say %q", takes)
		}
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, told := range sentence.FindAllString(flat(string(text)), -1) {
			if !strings.Contains(told, demoTakes) && !strings.Contains(told, demoNotifyTakes) {
				t.Errorf("%s says otherwise: %s", filepath.Base(page), told)
			}
		}
	}
}
