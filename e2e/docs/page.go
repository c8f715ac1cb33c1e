// Package docs runs the commands that the documentation shows, as a reader
// would: the ```sh blocks of a page, from its top to its end, in a copy of this
// repository.
//
// An HTML comment on the line before a block, which readers do not see, says
// what a test can't know:
//
//	<!-- not run: needs an AWS account -->     it is left out, for this reason
//	<!-- in the background -->                 it serves until the page's end
//	<!-- until it prints: evt_1 no -->         it is repeated until a line of its output has that
//	<!-- not output: a picture -->             what a block of text is, that no command printed
//
// Commands with --dev, or to dev's addresses, need an efferent dev: where the
// page has not started one, the test does.
//
// A ```text block after it, in the same section, is its output, and of what it
// prints to standard error that too: lines that come in this order, where … stands
// for anything. How wide the columns are does not count.
package docs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// block is one fenced block of commands.
type block struct {
	// Line is where its fence stands in the page, from 1.
	Line int
	Text string
	// NotRun is why it is not run; empty when it is.
	NotRun string
	// Background: it serves, and the next block does not wait for its end.
	Background bool
	// Until is a regular expression that a line of the output must match.
	Until *regexp.Regexp
	// Output is the text that the page shows for it; empty when it shows none.
	Output string
}

var (
	comment   = regexp.MustCompile(`^<!-- (.*) -->$`)
	notOutput = regexp.MustCompile(`^\s*<!-- not output: .+ -->$`)
	fence     = regexp.MustCompile("^(\\s*)```(.*)$")
)

// notCommands are the languages of blocks that nobody would type into a shell.
// The Python of docs/audit.md is run by the ledger's test in cmd/efferent/audit.
// Those of docs/testing.md are files, which suites_test.go runs.
var notCommands = map[string]bool{"go": true, "hcl": true, "java": true, "js": true, "json": true, "mermaid": true, "python": true,
	"yaml": true}

// parse finds a page's blocks of commands. A fence that does not say what it
// holds is an error: it might be commands.
func parse(page string) (all []block, err error) {
	lines := strings.Split(page, "\n")
	var afterCommands bool
	for i := 0; i < len(lines); i++ {
		open := fence.FindStringSubmatch(lines[i])
		if open == nil {
			afterCommands = afterCommands && !strings.HasPrefix(lines[i], "#")
			continue
		}
		b := block{Line: i + 1}
		var text []string
		for i++; i < len(lines) && !fence.MatchString(lines[i]); i++ {
			text = append(text, strings.TrimPrefix(lines[i], open[1]))
		}
		b.Text = strings.Join(text, "\n") + "\n"
		switch language := open[2]; {
		case language == "sh":
			if b.Line > 1 {
				err = b.directive(lines[b.Line-2])
			}
			all = append(all, b)
			afterCommands = true
		case language == "text" && b.Line > 1 && notOutput.MatchString(lines[b.Line-2]):
		case language == "text" && afterCommands:
			all[len(all)-1].Output, afterCommands = b.Text, false
		case language == "text":
			err = errors.New("a block of text that is no output of commands before it; say what it is: <!-- not output: … -->")
		case !notCommands[language]:
			err = fmt.Errorf("a block of %q: commands are ```sh, their output ```text", language)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", b.Line, err)
		}
	}
	return all, nil
}

// file is a block of code that a reader would save under a name, which stands in
// a comment on the line before it: <!-- file: webhooks_test.go -->
var file = regexp.MustCompile("(?ms)^<!-- file: (\\S+) -->\n```\\w+\n(.*?)^```$")

// files are those of a page, by name.
func files(page string) map[string]string {
	all := map[string]string{}
	for _, found := range file.FindAllStringSubmatch(page, -1) {
		all[found[1]] = found[2]
	}
	return all
}

// needsDev reports whether a block speaks to an efferent dev.
func (b *block) needsDev() bool {
	return strings.Contains(b.Text, " --dev") || strings.Contains(b.Text, devAWS) || strings.Contains(b.Text, devHTTP)
}

// The addresses that the pages have for an efferent dev.
const devAWS, devHTTP = "127.0.0.1:4566", "127.0.0.1:8080"

// directive reads the line before a block.
func (b *block) directive(line string) (err error) {
	found := comment.FindStringSubmatch(strings.TrimSpace(line))
	if found == nil {
		return nil
	}
	what, rest, _ := strings.Cut(found[1], ": ")
	switch {
	case what == "not run" && rest != "":
		b.NotRun = rest
	case what == "in the background" && rest == "":
		b.Background = true
	case what == "until it prints" && rest != "":
		b.Until, err = regexp.Compile("(?m)^.*" + rest + ".*$")
	default:
		return fmt.Errorf("the comment %q is none of those that this test knows", found[1])
	}
	return err
}

// spaces are as good as one.
var spaces = regexp.MustCompile(` +`)

// varying are the values that are others in another run: days, times, ids, how
// long something took, ports. Each is shown as QuoteMeta writes it.
var varying = map[string]string{
	`\d{4}-\d\d-\d\d`: `\d{4}-\d\d-\d\d`,
	`\d\d:\d\d:\d\d`:  `\d\d:\d\d:\d\d`,
	`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`: `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
	`\d+\\\.\d\ds`:           `\d+\.\d\ds`,
	`127(?:\\\.\d){3}:\d{5}`: `127\.0\.0\.1:\d+`,
}

// vary lets each of them be another one of its kind.
func vary(line string) string {
	for shown, matches := range varying {
		line = regexp.MustCompile(shown).ReplaceAllLiteralString(line, matches)
	}
	return line
}

// expected is what an output must match.
func expected(output string) *regexp.Regexp {
	var lines []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "…" {
			lines = append(lines, `(?:.*\n)*?`)
			continue
		}
		line = spaces.ReplaceAllString(strings.ReplaceAll(vary(regexp.QuoteMeta(line)), "…", ".*"), " *")
		lines = append(lines, " *"+line+` *\n`)
	}
	return regexp.MustCompile("(?m)^" + strings.Join(lines, ""))
}
