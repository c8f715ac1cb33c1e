// Package terminal lays out what a command prints: tables and records that lose
// nothing, however narrow the screen is, and texts of other people that can't
// steer it.
package terminal

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Line replaces what would break a line or steer a terminal: the texts are
// other people's.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// Lines is Line for text that has lines.
func Lines(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, text)
}

// columns is how many columns a text takes: a letter of CJK takes two.
func columns(text string) int { return uniseg.StringWidth(text) }

// padded fills a text up with spaces to so many columns.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// wrapped breaks a text at its spaces into lines of at most width columns; 0 is
// no bound. A longer word stays whole, on a line of its own, where the terminal
// breaks it: a URL that is copied from there is still one.
func wrapped(text string, width int) (lines []string) {
	if width <= 0 || columns(text) <= width {
		return []string{text}
	}
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
