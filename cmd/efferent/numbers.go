package main

import (
	"fmt"
	"strconv"
)

// limit is how many to list; 0 is all, which is said by its name: what a script
// has counted to 0 must not mean everything.
type limit int

// UnmarshalText reads a number from 1 on, or all.
func (l *limit) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*l = 0
		return nil
	}
	n, err := between(text, 1, 1_000_000_000)
	if err != nil {
		return fmt.Errorf("%q must be a number from 1 on, or all", text)
	}
	*l = limit(n)
	return nil
}

// reached reports whether n are enough.
func (l limit) reached(n int) bool { return l > 0 && n >= int(l) }

// page is how many to ask for where there are n.
func (l limit) page(n int) int {
	if l == 0 {
		return pageLimit
	}
	return min(pageLimit, int(l)-n)
}

// rate is messages a second, as a move task takes them ("StartMessageMoveTask" in
// the API reference).
type rate int

// UnmarshalText reads 1 to 500.
func (r *rate) UnmarshalText(text []byte) error {
	n, err := between(text, 1, 500)
	if err != nil {
		return fmt.Errorf("%q must be 1 to 500 messages a second", text)
	}
	*r = rate(n)
	return nil
}

func between(text []byte, least, most int) (int, error) {
	n, err := strconv.Atoi(string(text))
	if err == nil && (n < least || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}
