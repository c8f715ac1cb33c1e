package console

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// ExitUsage is the exit code of a command line that can't be meant.
const ExitUsage = 2

// UsageError is an error of who typed the command; nothing was done.
type UsageError struct {
	error
	// Command is which, where it is not that which was typed.
	Command string
}

func (u UsageError) Unwrap() error { return u.error }

// Misused makes an error one of usage; nil stays nil.
func Misused(err error) error {
	if err == nil {
		return nil
	}
	return UsageError{error: err}
}

// Misusedf is Misused of a new error.
func Misusedf(format string, args ...any) error {
	return UsageError{error: fmt.Errorf(format, args...)}
}

// ParseError is an error of kong's, in the words of the others.
func ParseError(err error) error {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	u := UsageError{Command: "efferent"}
	if parse.Context != nil {
		u.Command = CommandOf(parse.Context)
	}
	text := plainer.Replace(parse.Error())
	if names, ok := strings.CutPrefix(text, "expected one of "); ok {
		text = "which command? One of " + strings.ReplaceAll(names, `"`, "")
	}
	u.error = errors.New(text)
	return u
}

// plainer are the words for what kong says in those of a programmer.
var plainer = strings.NewReplacer(`expected string value but got "EOL" (<EOL>)`, "a value is missing",
	`expected value value but got "EOL" (<EOL>)`, "a value is missing", "expected value value but got", "a value is expected, not",
	"expected string value but got", "a value is expected, not", "expected a valid 64 bit int but got", "a whole number is expected, not",
	"missing flags:", "it needs", `","`, `", "`, " but got ", ", not ")

// CommandOf is the command that a line has come to, with its groups.
func CommandOf(c *kong.Context) string {
	name := c.Model.Name
	for _, at := range c.Path {
		if at.Command != nil {
			name += " " + at.Command.Name
		}
	}
	return name
}
