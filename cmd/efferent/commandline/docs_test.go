package commandline

import (
	"encoding"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// What the pages show of this command: lines of blocks, and words in a sentence.
var (
	commandLine = regexp.MustCompile(`(?m)^ {0,3}(?:\$ |.*\$\(|.*\| )?(?:go run \./cmd/efferent|efferent) (.*)$`)
	commandSpan = regexp.MustCompile("`(?:go run \\./cmd/efferent|efferent) ([^`]*)`")
	flagWord    = regexp.MustCompile(`^--[a-z][a-z-]*`)
)

// TestPagesShowCommandsThatAre: each command that README and docs/ tell of is one,
// and has the flags that it is shown with.
func TestPagesShowCommandsThatAre(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	seen, root := 0, newParser(new(cli)).Model.Node
	for _, page := range append(pages, "../../../README.md", "../../../CHANGELOG.md", "../../../CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		whole := strings.ReplaceAll(string(text), "\\\n", " ")
		for _, found := range append(commandLine.FindAllStringSubmatch(whole, -1), commandSpan.FindAllStringSubmatch(whole, -1)...) {
			seen++
			if wrong := wrongIn(root, strings.Fields(found[1])); wrong != "" {
				t.Errorf("%s shows %q: there is no %s", filepath.Base(page), found[0], wrong)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands were found: what finds them?", seen)
	}
}

// wrongIn is the first of a line's words that is no command or flag; empty where
// all are, up to what ends a command in a shell.
func wrongIn(node *kong.Node, words []string) string {
	for i, word := range words {
		switch child := childOf(node, strings.TrimRight(word, ",.;:")); {
		case strings.ContainsAny(word[:1], "|>;&#),"):
			return ""
		case flagWord.MatchString(word):
			flag := flagOf(node, flagWord.FindString(word))
			if flag == nil && !below(node, flagWord.FindString(word)) {
				return word
			}
			if flag != nil && i+1 < len(words) && !takes(flag, words[i+1]) {
				return word + " " + words[i+1]
			}
		case child != nil:
			node = child
		case len(node.Children) > 0 && !strings.ContainsAny(word, "…<|"):
			return word
		}
	}
	return ""
}

// takes reports whether a flag takes a value, as far as that can be told: TIME and
// $ITEM stand for one.
func takes(flag *kong.Flag, value string) bool {
	value = strings.Trim(value, "'\",.;:)")
	into, ok := flag.Target.Addr().Interface().(encoding.TextUnmarshaler)
	if !ok || strings.ContainsAny(value, "$…<") || value == strings.ToUpper(value) && strings.ToLower(value) != value {
		return true
	}
	return into.UnmarshalText([]byte(value)) == nil
}

// below reports whether one of a group's commands has a flag.
func below(node *kong.Node, flag string) bool {
	for _, child := range node.Children {
		if flagOf(child, flag) != nil || below(child, flag) {
			return true
		}
	}
	return false
}
