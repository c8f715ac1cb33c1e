package commandline

import (
	"github.com/alecthomas/kong"

	"github.com/efferent/efferent/cmd/efferent/console"
)

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; all of them where none is named."`
}

// Run prints the help of a command, as --help does.
func (c *helpCommand) Run(parser *kong.Kong) error {
	_, err := parser.Parse(append(c.Command, "--help")) // it ends the process
	return console.ParseError(err)
}
