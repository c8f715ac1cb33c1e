package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Screen is where lines go.
type Screen struct {
	Out io.Writer
	// Width is how many columns it has; 0 is no bound, for what is no terminal.
	Width int
}

// Stdout is standard output.
func Stdout() Screen { return screenOf(os.Stdout) }

// Stderr is standard error.
func Stderr() Screen { return screenOf(os.Stderr) }

func screenOf(f *os.File) Screen {
	s := Screen{Out: f}
	if term.IsTerminal(int(f.Fd())) {
		s.Width, _, _ = term.GetSize(int(f.Fd())) // 0, no bound, where it does not say
	}
	return s
}

// Say prints one text, made safe, and broken at spaces where it is too wide.
func (s Screen) Say(text string) error {
	return s.hang("", Line(text), 2)
}

// Fields prints a record: a name and its value on each line, without those that
// have no value.
func (s Screen) Fields(fields [][2]string) error {
	names := 0
	for _, f := range fields {
		if f[1] != "" {
			names = max(names, columns(f[0]))
		}
	}
	for _, f := range fields {
		if f[1] == "" {
			continue
		}
		if err := s.field(padded(f[0], names), Line(f[1])); err != nil {
			return err
		}
	}
	return nil
}

// field prints a value beside its name; below it, where there is no room beside it
// for the longest of its words.
func (s Screen) field(name, value string) error {
	beside := columns(name) + len(gap)
	for _, word := range strings.Fields(value) {
		if s.Width > 0 && columns(word) > s.Width-beside {
			if _, err := fmt.Fprintln(s.Out, strings.TrimRight(name, " ")); err != nil {
				return err
			}
			return s.hang(gap, value, len(gap))
		}
	}
	return s.hang(name+gap, value, beside)
}

// Beside prints a text, made safe, beside another one; below it, indented, where it
// does not fit there.
func (s Screen) Beside(begin, text string, indent int) error {
	if text = Line(text); s.Width == 0 || columns(begin+text) <= s.Width {
		return s.hang(begin, text, 0)
	}
	if _, err := fmt.Fprintln(s.Out, strings.TrimRight(begin, " ")); err != nil {
		return err
	}
	return s.hang(strings.Repeat(" ", indent), text, indent)
}

// hang prints a text after what it begins with. Its further lines are indented.
func (s Screen) hang(begin, text string, indent int) error {
	width := s.Width
	if width > 0 {
		width = max(1, width-max(indent, columns(begin)))
	}
	for _, line := range wrapped(text, width) {
		if _, err := fmt.Fprintln(s.Out, strings.TrimRight(begin+line, " ")); err != nil {
			return err
		}
		begin = strings.Repeat(" ", indent)
	}
	return nil
}
