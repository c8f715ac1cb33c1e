package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	page := strings.ReplaceAll(`# A page

'''json
{}
'''

'''sh
echo a
'''

'''text
a
'''

<!-- not run: it costs money -->
'''sh
buy
'''

1. In a list

   <!-- in the background -->
   '''sh
   serve \
     all
   '''

<!-- until it prints: evt_1 +delivered -->
'''sh
look
'''

Words.

'''text
evt_1  delivered
'''

## Another section

<!-- not output: a picture -->
'''text
no output of anything
'''
`, "'''", "```")
	all, err := parse(page)
	if err != nil || len(all) != 4 {
		t.Fatalf("got %d blocks, %v", len(all), err)
	}
	if b := all[0]; b.Line != 7 || b.Text != "echo a\n" || b.Output != "a\n" {
		t.Errorf("got %+v", b)
	}
	if b := all[1]; b.NotRun != "it costs money" || b.Output != "" {
		t.Errorf("got %+v", b)
	}
	if b := all[2]; !b.Background || b.Text != "serve \\\n  all\n" {
		t.Errorf("got %+v", b)
	}
	if b := all[3]; b.Output != "evt_1  delivered\n" ||
		!b.Until.MatchString("x\nevt_1   delivered y\n") || b.Until.MatchString("evt_1\ndelivered") {
		t.Errorf("got %+v", b)
	}
	for _, bad := range []string{
		"```text\nof nothing\n```", "```sh\nls\n```\n## Next\n```text\nof nothing\n```", "```sh\nls\n```\n```text\na\n```\n```text\nb\n```",
		"<!-- not output -->\n```text\nx\n```", "```\nefferent dev\n```",
		"```bash\nls\n```", "<!-- not run -->\n```sh\nls\n```", "<!-- notrun: x -->\n```sh\nls\n```",
	} {
		if all, err := parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, all)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	page := strings.ReplaceAll(`<!-- file: a.py -->
@@@python
print("a")
@@@

@@@python
print("not saved")
@@@
<!-- file: b_test.go -->
@@@go
package b
@@@
`, "@@@", "```")
	all := files(page)
	if len(all) != 2 || all["a.py"] != "print(\"a\")\n" || all["b_test.go"] != "package b\n" {
		t.Errorf("got %q", all)
	}
}

// Every block of every page is commands, their output, or says what it is.
func TestPagesAreRead(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatal(pages, err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err == nil {
				_, err = parse(string(text))
			}
			if err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

func TestExpected(t *testing.T) {
	t.Parallel()
	shown := expected("AFTER  ID\n…\n …s   evt_1 delivered\n")
	for output, want := range map[string]bool{
		"AFTER  ID  \n 0.1s  evt_1  delivered\n":                         true,
		"first\nAFTER  ID\nother\nanother\n 12s  evt_1  delivered\nlast": true,
		"AFTER  ID\n 0.1s  evt_1  permanent\n":                           false,
		"AFTER\n 0.1s  evt_1  delivered\n":                               false,
		"AFTER  ID\n 0.1s  evt_1  delivered twice\n":                     false,
	} {
		if got := shown.MatchString(output); got != want {
			t.Errorf("%q: %v", output, got)
		}
	}
	shown = expected("2026-11-26 10:48:04  ecab484d-97da-4b19-a7a6-373d3db258ad 0.01s 127.0.0.1:40123 4\n")
	for output, want := range map[string]bool{
		"2027-01-02 00:00:00 00000000-0000-4000-8000-000000000000 12.34s 127.0.0.1:9 4\n": true,
		"2027-01-02 00:00:00 00000000-0000-4000-8000-000000000000 12.34s 127.0.0.1:9 5\n": false,
		"2027-01-02 00:00:00 00000000-0000-4000-8000-000000000000 12.34s 127.0.0.2:9 4\n": false,
		"2027-01-02 -        00000000-0000-4000-8000-000000000000 12.34s 127.0.0.1:9 4\n": false,
	} {
		if got := shown.MatchString(output); got != want {
			t.Errorf("%q: %v", output, got)
		}
	}
}

// The tables of settings name what the code reads, all of it.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, names, page string }{
		{"internal/settings/names.go", `= "(EFFERENT_[A-Z_]+)"`, "docs/settings.md"},
		{"infra/cdk/context.go", `(?m)^\t"([A-Za-z]+)": `, "docs/deploy.md"},
	} {
		code, page := read(t, c.code), read(t, c.page)
		found := regexp.MustCompile(c.names).FindAllStringSubmatch(code, -1)
		if len(found) == 0 {
			t.Errorf("%s names nothing", c.code)
		}
		for _, name := range found {
			if !strings.Contains(page, "`"+name[1]+"`") {
				t.Errorf("%s does not tell of %s, which is in %s", c.page, name[1], c.code)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
