package render

import (
	"errors"
	"strings"
)

const (
	// mostSteps is what rendering a notification may take on one channel: a step is
	// 4 bytes of the source in a loop, each time that it is gone through, or 64 bytes of
	// a text that a function makes, reads or prints. It is well under a second.
	mostSteps = 1_000_000
	// mostOutput is how many bytes a part may make: as much as an email's text and HTML
	// may have.
	mostOutput = 512 << 10
	stepBytes  = 64
)

var (
	errSteps  = errors.New("it takes too long: its loops go through too much")
	errOutput = errors.New("it makes more than 512 KiB")
)

// budget is what is left to a rendering. text/template can't be stopped from outside:
// each loop asks it at each round.
type budget struct{ left int }

func newBudget() *budget { return &budget{mostSteps} }

// take uses up steps.
func (b *budget) take(steps int) error {
	if steps > b.left {
		b.left = 0
		return errSteps
	}
	b.left -= steps
	return nil
}

// bytes uses up the steps for so many.
func (b *budget) bytes(n int) error { return b.take(1 + n/stepBytes) }

// output fails where a part makes too much.
type output struct {
	strings.Builder
	left int
}

func (o *output) Write(p []byte) (int, error) {
	if len(p) > o.left {
		return 0, errOutput
	}
	o.left -= len(p)
	return o.Builder.Write(p)
}
