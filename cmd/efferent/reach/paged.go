package reach

import (
	"fmt"
	"net/url"
	"os"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/terminal"
)

// list is what was read of one.
type list[T any] struct {
	Items  []T
	Cursor string // asks for the rest; empty where there is none
}

// Paged reads a list, page by page, as far as the limit goes.
func Paged[T any](query url.Values, most console.Limit, read func(query string) (items []T, cursor string, err error)) (list[T], error) {
	all := list[T]{Items: []T{}}
	for more := true; more; more = all.Cursor != "" && !most.Reached(len(all.Items)) {
		query.Set("limit", fmt.Sprint(most.Page(len(all.Items))))
		query.Set("cursor", all.Cursor)
		items, cursor, err := read(query.Encode())
		if err != nil {
			return all, err
		}
		all.Items, all.Cursor = append(all.Items, items...), cursor
	}
	return all, nil
}

// Show prints it as a table, and below that how many there are.
func (l list[T]) Show(what string, columns []terminal.Column[T]) (err error) {
	if len(l.Items) > 0 {
		err = terminal.Table(terminal.Stdout(), columns, l.Items)
	}
	fmt.Fprintln(os.Stderr, listedText(len(l.Items), what, l.Cursor != ""))
	return err
}

// listedText is the line below a list.
func listedText(n int, what string, more bool) string {
	text := fmt.Sprintf("%s %ss", console.Thousands(n), what)
	if n == 1 {
		text = "1 " + what
	}
	if more {
		text += "; more with --limit"
	}
	return text
}
