package ledger

import (
	"context"
	"fmt"
	"sync"
)

// Reader reads a ledger. It is used by many goroutines at once.
type Reader interface {
	// Head returns the lane's head, the zero Head for a new lane.
	Head(ctx context.Context, lane string) (Head, error)
	// Staged returns all that is staged in a lane, in order of End.
	Staged(ctx context.Context, lane string) ([]Staged, error)
	// Get returns what is published under a path, or ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
}

// Log is one lane as it stood when it was opened.
type Log struct {
	Lane string
	Head Head
	// Rest are the entries from Head.Published on.
	Rest   [][]byte
	chain  []Staged
	reader Reader
}

// OpenLog reads where a lane stands. What is published meanwhile is read again.
// Its error is ErrGap or ErrChanged where staged entries are not what they were.
func OpenLog(ctx context.Context, r Reader, lane string) (*Log, error) {
	const tries = 5
	var last error
	for range tries {
		head, err := r.Head(ctx, lane)
		if err != nil {
			return nil, err
		}
		staged, err := r.Staged(ctx, lane)
		if err != nil {
			return nil, err
		}
		chain, err := Chain(head, staged)
		if err != nil {
			last = err
			continue
		}
		rest, err := Unpublished(chain, head.Published)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", lane, err)
		}
		return &Log{lane, head, rest, chain, r}, nil
	}
	return nil, fmt.Errorf("%s: %w", lane, last)
}

// Tiles are the log's.
func (l *Log) Tiles() Tiles { return TilesOf(l.reader, l.Lane) }

// TilesOf are the tiles of a lane.
func TilesOf(r Reader, lane string) Tiles {
	return Tiles{Get: func(ctx context.Context, path string) ([]byte, error) { return r.Get(ctx, lane+"/"+path) }}
}

// ahead is how many objects are read before they are used.
const ahead = 16

// got is an object that is being read.
type got struct {
	b   []byte
	err error
}

// readAhead calls use with what get returns for 0 to n-1, in order, while get
// is at work on the next ones. It ends with the first error of use, or the
// context's, and not before every get has ended.
func readAhead(ctx context.Context, n int64, get func(ctx context.Context, i int64) ([]byte, error),
	use func(i int64, b []byte, err error) error) error {
	ctx, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	waiting := make(chan chan got, ahead)
	readers.Go(func() {
		defer close(waiting)
		for i := range n {
			one := make(chan got, 1)
			select {
			case waiting <- one:
			case <-ctx.Done():
				return
			}
			readers.Go(func() {
				b, err := get(ctx, i)
				one <- got{b, err}
			})
		}
	})
	for i := range n {
		one, more := <-waiting
		if !more {
			return ctx.Err()
		}
		g := <-one
		if err := use(i, g.b, g.err); err != nil {
			return err
		}
	}
	return nil
}

// Entries calls visit with each entry from an index on, in order. The entries
// are what is kept: the caller compares them with a root.
func (l *Log) Entries(ctx context.Context, from int64, visit func(index int64, entry []byte) error) error {
	first := from / TileWidth
	bundles := max(0, l.Head.Published/TileWidth-first)
	path := func(i int64) string { return l.Lane + "/" + BundlePath(first+i, TileWidth) }
	err := readAhead(ctx, bundles,
		func(ctx context.Context, i int64) ([]byte, error) { return l.reader.Get(ctx, path(i)) },
		func(i int64, b []byte, err error) error {
			if err != nil {
				return err
			}
			entries, err := ParseBundle(b)
			if err == nil && len(entries) != TileWidth {
				err = fmt.Errorf("it has %d entries: %w", len(entries), ErrChanged)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path(i), err)
			}
			return visitFrom(from, (first+i)*TileWidth, entries, visit)
		})
	if err != nil {
		return err
	}
	return visitFrom(from, l.Head.Published, l.Rest, visit)
}

// visitFrom visits those entries whose index is from or more; the first of them
// has the index start.
func visitFrom(from, start int64, entries [][]byte, visit func(int64, []byte) error) error {
	for i, e := range entries {
		if index := start + int64(i); index >= from {
			if err := visit(index, e); err != nil {
				return err
			}
		}
	}
	return nil
}
