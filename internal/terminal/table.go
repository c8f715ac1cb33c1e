package terminal

import (
	"cmp"
	"fmt"
	"strings"
)

// Column is one of a table's columns.
type Column[T any] struct {
	Title string
	Cell  func(T) string
	// Optional leaves it out where all of its cells are empty.
	Optional bool
}

// gap is between two columns.
const gap = "  "

// Table prints rows. What does not fit on a row's line, the widest columns first,
// stands below it by name; nothing is cut. The first column stays where it is.
func Table[T any](s Screen, all []Column[T], rows []T) error {
	g := gridOf(all, rows)
	below := g.fit(s.Width)
	if err := s.row(g, below, g.titles, false); err != nil {
		return err
	}
	for _, cells := range g.rows {
		if err := s.row(g, below, cells, true); err != nil {
			return err
		}
	}
	return nil
}

// grid is a table's text. Each row has a cell for each title.
type grid struct {
	titles []string
	rows   [][]string
	widths []int
}

func gridOf[T any](all []Column[T], rows []T) (g grid) {
	g.rows = make([][]string, len(rows))
	for _, c := range all {
		cells, width, empty := make([]string, len(rows)), columns(c.Title), true
		for i, row := range rows {
			cells[i] = Line(c.Cell(row))
			width, empty = max(width, columns(cells[i])), empty && cells[i] == ""
		}
		if c.Optional && empty {
			continue
		}
		for i, cell := range cells {
			g.rows[i] = append(g.rows[i], cell)
		}
		g.titles, g.widths = append(g.titles, c.Title), append(g.widths, width)
	}
	return g
}

// fit says which columns go below the others, so that these fit.
func (g grid) fit(width int) (below []bool) {
	below = make([]bool, len(g.titles))
	for width > 0 {
		total, widest := -len(gap), 0
		for i, w := range g.widths {
			if below[i] {
				continue
			}
			total += w + len(gap)
			if i > 0 && (widest == 0 || w >= g.widths[widest]) {
				widest = i
			}
		}
		if total <= width || widest == 0 {
			break
		}
		below[widest] = true
	}
	return below
}

// row prints the cells of a row on its line; where rest is wanted, those that did
// not fit below it.
func (s Screen) row(g grid, below []bool, cells []string, rest bool) error {
	var line []string
	for i, cell := range cells {
		switch {
		case below[i]:
		case i == len(cells)-1: // a dash at a line's end says nothing
			line = append(line, cell)
		default:
			line = append(line, padded(cmp.Or(cell, "-"), g.widths[i]))
		}
	}
	_, err := fmt.Fprintln(s.Out, strings.TrimRight(strings.Join(line, gap), " "))
	if err != nil || !rest {
		return err
	}
	for _, line := range s.flow(g, below, cells) {
		if err := s.hang(gap, line, 2*len(gap)); err != nil {
			return err
		}
	}
	return nil
}

// flow joins what stands below a row into as few lines as there is room for.
func (s Screen) flow(g grid, below []bool, cells []string) (lines []string) {
	for i, cell := range cells {
		if !below[i] || cell == "" {
			continue
		}
		field, last := g.titles[i]+" "+cell, len(lines)-1
		if last >= 0 && columns(gap+lines[last]+gap+field) <= s.Width {
			lines[last] += gap + field
		} else {
			lines = append(lines, field)
		}
	}
	return lines
}
