package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Found is an entry, and where it is.
type Found struct {
	Index int64
	Entry []byte
	Line  Line
}

// skew is how far entries may stand from the order of their times: a message
// can wait that long in the audit queue behind later ones of other batches.
const skew = time.Hour

// Find returns the entries that match takes among those of the time from the
// first to the last act, both within. There is no index: the bundles are
// searched by the times in them, which grow but for an hour or so, and those
// that can hold such an entry are read. What is not published is read whole.
func (l *Log) Find(ctx context.Context, first, last time.Time, match func(Line) bool) (found []Found, err error) {
	from, err := l.bundleOf(ctx, first.Add(-skew))
	if err != nil {
		return nil, err
	}
	late := errors.New("later than all of them")
	err = l.Entries(ctx, from*TileWidth, func(index int64, entry []byte) error {
		line, err := ParseEntry(entry)
		if err != nil {
			return fmt.Errorf("entry %d of %s: %w", index, l.Lane, err)
		}
		if at, err := time.Parse(time.RFC3339, line.Timestamp); err == nil && at.After(last.Add(skew)) && index < l.Head.Published {
			return late
		}
		if match(line) {
			found = append(found, Found{index, entry, line})
		}
		return nil
	})
	if errors.Is(err, late) {
		err = nil
	}
	return found, err
}

// bundleOf is the last bundle that begins before a time, by halves. Entries that
// are gone, as their retention has ended, were before all others.
func (l *Log) bundleOf(ctx context.Context, t time.Time) (int64, error) {
	low, high := int64(0), l.Head.Published/TileWidth
	for low+1 < high {
		middle := (low + high) / 2
		begins, err := l.bundleTime(ctx, middle)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return 0, err
		case err != nil || begins.Before(t):
			low = middle
		default:
			high = middle
		}
	}
	if l.Head.Published > 0 {
		if _, err := l.bundleTime(ctx, low); errors.Is(err, ErrNotFound) {
			low++
		}
	}
	return low, nil
}

// bundleTime is the time of a bundle's first entry.
func (l *Log) bundleTime(ctx context.Context, index int64) (time.Time, error) {
	path := l.Lane + "/" + BundlePath(index, TileWidth)
	b, err := l.reader.Get(ctx, path)
	if err != nil {
		return time.Time{}, err
	}
	entries, err := ParseBundle(b)
	if err == nil && len(entries) == 0 {
		err = ErrChanged
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", path, err)
	}
	line, err := ParseEntry(entries[0])
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", path, err)
	}
	at, err := time.Parse(time.RFC3339, line.Timestamp)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", path, err)
	}
	return at, nil
}

// Prove makes the proof of an entry that is in the tree of a signed checkpoint.
func (l *Log) Prove(ctx context.Context, f Found, c Checkpoint, signed []byte) (Proof, error) {
	path, err := l.Tiles().Include(ctx, c, f.Index)
	if err != nil {
		return Proof{}, err
	}
	return Proof{Entry: f.Entry, Index: f.Index, Path: path, Checkpoint: signed}, nil
}
