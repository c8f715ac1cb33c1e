package main

import "github.com/alecthomas/kong"

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; all of them where none is named."`
}

// Run prints the help of a command, as --help does.
func (c *helpCommand) Run(parser *kong.Kong) error {
	_, err := parser.Parse(append(c.Command, "--help")) // it ends the process
	return parseError(err)
}
