package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// exitUsage is the exit code of a command line that can't be meant.
const exitUsage = 2

// usageError is an error of who typed the command; nothing was done.
type usageError struct {
	error
	// command is which, where it is not that which was typed.
	command string
}

func (u usageError) Unwrap() error { return u.error }

// misused makes an error one of usage; nil stays nil.
func misused(err error) error {
	if err == nil {
		return nil
	}
	return usageError{error: err}
}

// misusedf is misused of a new error.
func misusedf(format string, args ...any) error {
	return usageError{error: fmt.Errorf(format, args...)}
}

// parseError is an error of kong's, in the words of the others.
func parseError(err error) error {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	u := usageError{command: "efferent"}
	if parse.Context != nil {
		u.command = commandOf(parse.Context)
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

// commandOf is the command that a line has come to, with its groups.
func commandOf(c *kong.Context) string {
	name := c.Model.Name
	for _, at := range c.Path {
		if at.Command != nil {
			name += " " + at.Command.Name
		}
	}
	return name
}
