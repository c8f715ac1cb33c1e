package dev

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/terminal"
)

// DataCommand is efferent data.
type DataCommand struct {
	Check dataCheckCommand `cmd:"" help:"Read a data file row by row: what of it is damaged, and what can be read. Exit 1: something is."`
}

type dataCheckCommand struct {
	File string `arg:"" help:"The data file of efferent dev, which must not be running."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// checkedFile is what is printed of a data file.
type checkedFile struct {
	Tables []sqlite.Checked `json:"tables"`
	// Wrong is what SQLite finds.
	Wrong []string `json:"wrong,omitempty"`
}

func (f checkedFile) sound() bool {
	for _, t := range f.Tables {
		if !t.Sound() {
			return false
		}
	}
	return len(f.Wrong) == 0
}

func (c *dataCheckCommand) Run(ctx context.Context) error {
	var found checkedFile
	var err error
	if found.Tables, found.Wrong, err = sqlite.Check(ctx, c.File); err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	if c.JSON {
		err = console.PrintJSON(found)
	} else {
		err = found.print()
	}
	if err == nil && !found.sound() {
		err = console.Verdict(console.ExitChanged, errors.New(c.File+" is damaged. Keep a copy of it. What can be read is kept by "+
			"`sqlite3 "+c.File+" .recover | sqlite3 NEW`, with SQLite's own command; then start with --data NEW"))

	}
	return err
}

func (f checkedFile) print() error {
	err := terminal.Table(terminal.Stdout(), []terminal.Column[sqlite.Checked]{
		{Title: "TABLE", Cell: func(t sqlite.Checked) string { return t.Table }},
		{Title: "READABLE", Cell: func(t sqlite.Checked) string { return fmt.Sprint(t.Rows) }},
		{Title: "DAMAGED", Cell: func(t sqlite.Checked) string { return strings.Join(t.Damaged, ", ") }, Optional: true},
		{Title: "LOST", Cell: func(t sqlite.Checked) string { return t.Lost }, Optional: true},
	}, f.Tables)
	for _, line := range f.Wrong {
		fmt.Println("SQLite:", terminal.Line(line))
	}
	return err
}
