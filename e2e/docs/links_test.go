package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]*)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inTitle = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
)

// TestLinks: each link from a page to a file or a heading of this repository leads
// there.
func TestLinks(t *testing.T) {
	t.Parallel()
	root, found := "../..", 0
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			for _, l := range link.FindAllStringSubmatch(prose(t, page), -1) {
				file, anchor, _ := strings.Cut(l[1], "#")
				if strings.Contains(file, ":") {
					continue // elsewhere
				}
				found++
				to := page
				if file != "" {
					to = filepath.Join(filepath.Dir(page), file)
				}
				if _, err := os.Stat(to); err != nil || anchor != "" && !anchors(t, to)[anchor] {
					t.Errorf("%s: (%s) leads nowhere", page, l[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

// prose is a page without its blocks of code.
func prose(t *testing.T, page string) string {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(b), "")
}

// anchors are those that GitHub makes of a page's headings.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(prose(t, page), -1) {
		all[strings.ReplaceAll(inTitle.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}
