package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is one break of the code that the tests must notice.
type mutant struct {
	// Why says what would go wrong for a user; it names the mutant too.
	Why string
	// Line is where it stands in the list.
	Line int
	// File is the file that is broken, from the module's root.
	File string
	// Packages are those whose tests must fail: one of them is enough.
	Packages []string
	// Run picks some of their tests, as go test's -run does; empty for all.
	Run string
	// Find are the lines that are replaced, Replace those that they become.
	Find, Replace []string
}

// parse reads a list. Its form is described at the list's head.
func parse(text string) (all []mutant, err error) {
	var m *mutant
	for i, line := range strings.Split(text, "\n") {
		word, rest := line, ""
		if end := strings.IndexAny(line, " \t"); end >= 0 {
			word, rest = line[:end], strings.TrimSpace(line[end:])
		}
		switch {
		case word == "" || word == "#":
			continue
		case word == "mutant":
			all = append(all, mutant{Why: rest, Line: i + 1})
			m = &all[len(all)-1]
			continue
		case m == nil:
			return nil, fmt.Errorf("line %d: there is no mutant yet", i+1)
		}
		switch word {
		case "file":
			m.File = rest
		case "test":
			m.Packages = strings.Fields(rest)
		case "run":
			m.Run = rest
		case "-":
			m.Find = append(m.Find, rest)
		case "+":
			m.Replace = append(m.Replace, rest)
		default:
			return nil, fmt.Errorf("line %d: begins with none of mutant, file, test, run, - and +", i+1)
		}
	}
	for _, m := range all {
		if m.Why == "" || m.File == "" || len(m.Packages) == 0 || len(m.Find) == 0 {
			return nil, fmt.Errorf("line %d: a mutant needs a reason, a file, packages to test and a text to find", m.Line)
		}
	}
	return all, nil
}

// broken returns the file of a mutant with its text replaced. The text must be
// there exactly once; its indentation does not count.
func (m mutant) broken(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, err
	}
	quoted := make([]string, len(m.Find))
	for i, line := range m.Find {
		quoted[i] = regexp.QuoteMeta(line)
	}
	found := regexp.MustCompile(strings.Join(quoted, `[ \t]*\n[ \t]*`)).FindAllIndex(source, -1)
	if len(found) != 1 {
		return nil, fmt.Errorf("its text is in %s %d times, not once", m.File, len(found))
	}
	from, to := found[0][0], found[0][1]
	return []byte(string(source[:from]) + strings.Join(m.Replace, "\n") + string(source[to:])), nil
}
