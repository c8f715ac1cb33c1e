package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/terminal"
)

type auditExportCommand struct {
	bookFlags
	To string `arg:"" name:"directory" help:"${audit_export}"`

	stdout io.Writer
}

func (c *auditExportCommand) Run(ctx context.Context) error {
	if c.stdout == nil {
		c.stdout = os.Stdout
	}
	p, err := c.open(ctx)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	if c.Dir != "" && filepath.Clean(c.Dir) == filepath.Clean(c.To) {
		return console.Verdict(console.ExitCantTell, fmt.Errorf("%s would be copied onto itself", c.To))
	}
	to := objects.NewDirectory(c.To)
	lanes, err := p.lanes(ctx)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	var copied ledger.Exports
	bar := terminal.NewProgress("copying " + p.name)
	defer bar.End()
	for _, lane := range lanes {
		bar.Say(lane)
		one, err := ledger.Export(ctx, p, p.kept, lane, p.key, to, func(done, of int64) { bar.Set(done, of) })
		switch {
		case errors.Is(err, ledger.ErrChanged) || errors.Is(err, ledger.ErrUnsigned):
			return console.Verdict(console.ExitChanged, fmt.Errorf("%s: %w", lane, err))
		case err != nil:
			return console.Verdict(console.ExitCantTell, fmt.Errorf("%s: %w", lane, err))
		}
		copied.Add(one)
	}
	if err := to.Replace(ctx, "key.pub", []byte(p.key.String()+"\n")); err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	bar.End()
	fmt.Fprintf(c.stdout, "%s holds the %d entries of %d lanes that are signed, and %d checkpoints.\n", c.To, copied.Entries, len(lanes),
		copied.Checkpoints)
	if copied.Expired > 0 {
		fmt.Fprintf(c.stdout, "%d entries are there by their hashes only: their retention has ended.\n", copied.Expired)
	}
	_, err = fmt.Fprintf(c.stdout, "%s audit verify --dir %s --key %s\n", console.OwnName(), console.ShellWord(c.To),
		console.ShellWord(p.key.String()))
	return err
}
