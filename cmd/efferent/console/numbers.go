package console

import (
	"fmt"
	"strconv"
)

// Limit is how many to list; 0 is all, which is said by its name: what a script
// has counted to 0 must not mean everything.
type Limit int

// UnmarshalText reads a number from 1 on, or all.
func (l *Limit) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*l = 0
		return nil
	}
	n, err := Between(text, 1, 1_000_000_000)
	if err != nil {
		return fmt.Errorf("%q must be a number from 1 on, or all", text)
	}
	*l = Limit(n)
	return nil
}

// Reached reports whether n are enough.
func (l Limit) Reached(n int) bool { return l > 0 && n >= int(l) }

// Page is how many to ask for where there are n.
func (l Limit) Page(n int) int {
	if l == 0 {
		return PageLimit
	}
	return min(PageLimit, int(l)-n)
}

// Rate is messages a second, as a move task takes them ("StartMessageMoveTask" in
// the API reference).
type Rate int

// UnmarshalText reads 1 to 500.
func (r *Rate) UnmarshalText(text []byte) error {
	n, err := Between(text, 1, 500)
	if err != nil {
		return fmt.Errorf("%q must be 1 to 500 messages a second", text)
	}
	*r = Rate(n)
	return nil
}

// Between reads a number from least to most.
func Between(text []byte, least, most int) (int, error) {
	n, err := strconv.Atoi(string(text))
	if err == nil && (n < least || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}

// PageLimit is the most items that the API gives in one answer.
const PageLimit = 200
