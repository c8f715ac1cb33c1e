package ledger

import (
	"errors"
	"strings"
)

var (
	// ErrMoved: a head is not what it was any more: somebody else moved it.
	ErrMoved = errors.New("the ledger's head has moved")
	// ErrGap: a piece is missing of what is staged. It may have been published
	// since the head was read; where a new head says so too, it is gone.
	ErrGap = errors.New("a gap in the ledger")
	// ErrChanged: what is kept is not what was kept.
	ErrChanged = errors.New("the ledger was changed")
	// ErrNotFound: there is nothing under that path.
	ErrNotFound = errors.New("not in the ledger")
)

// Source is the queue in which SequenceNumbers count. One that was deleted and
// made again is another queue.
type Source struct {
	ARN string
	// Created is when it was made, in seconds since 1970.
	Created int64
}

// Head is the state of one lane: the tree and how far the queue was read into
// it. A new lane's is the zero value.
type Head struct {
	// Version grows by one whenever the head moves; 0 is a head that is not kept.
	Version int64
	Edge
	// Published is the number of entries, from the first on, that lie in full
	// bundles and tiles; a multiple of 256.
	Published int64
	// Source and Sequence are the queue and the SequenceNumber in it of the
	// last message whose entries were appended.
	Source   Source
	Sequence string
}

// After reports whether SequenceNumber a comes after b; every one comes after
// none. They are decimal numbers of up to 128 bits ("Amazon SQS FIFO queue and
// message identifiers").
func After(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}
