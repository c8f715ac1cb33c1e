package ledger

import (
	"context"
	"errors"
	"fmt"
)

// KeptObjects is where checkpoints lie. It is used by many goroutines at once.
type KeptObjects interface {
	// Put keeps b under path, and never replaces other bytes (ErrChanged).
	Put(ctx context.Context, path string, b []byte) error
	// Replace keeps b under path, whatever is there.
	Replace(ctx context.Context, path string, b []byte) error
	// Get returns what is under path, or ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
	// List returns the paths under a prefix that ends in a slash and after a
	// path, in order.
	List(ctx context.Context, prefix, after string) ([]string, error)
}

// Kept is the checkpoints that were signed, one object each, named by their
// sizes. The newest is copied to a place of its own as well, where other tools
// look for it (c2sp.org/tlog-tiles) and from where the list is short.
type Kept struct{ Objects KeptObjects }

func checkpointsPath(lane string) string { return lane + "/checkpoints/" }

// pathOfSize sorts by size.
func pathOfSize(lane string, size int64) string {
	return fmt.Sprintf("%s%020d", checkpointsPath(lane), size)
}

// Keep keeps a signed checkpoint of a tree of that size. ErrChanged: there is
// another of that size.
func (k Kept) Keep(ctx context.Context, lane string, size int64, signed []byte) error {
	if err := k.Objects.Put(ctx, pathOfSize(lane, size), signed); err != nil {
		return fmt.Errorf("keep the checkpoint of %s at %d: %w", lane, size, err)
	}
	if err := k.Objects.Replace(ctx, lane+"/checkpoint", signed); err != nil {
		return fmt.Errorf("show the checkpoint of %s at %d: %w", lane, size, err)
	}
	return nil
}

// Newest returns the newest signed checkpoint, nil where there is none. Nothing
// of it is verified.
func (k Kept) Newest(ctx context.Context, lane string) ([]byte, error) {
	shown, err := k.Objects.Get(ctx, lane+"/checkpoint")
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("the newest checkpoint of %s: %w", lane, err)
	}
	after := ""
	if c, err := unverified(shown); err == nil {
		after = pathOfSize(lane, c.Size)
	}
	paths, err := k.Objects.List(ctx, checkpointsPath(lane), after)
	if err != nil {
		return nil, fmt.Errorf("the checkpoints of %s: %w", lane, err)
	}
	switch {
	case len(paths) > 0:
		return k.Objects.Get(ctx, paths[len(paths)-1])
	case after != "":
		return k.Objects.Get(ctx, after)
	}
	return nil, nil
}

// All returns every signed checkpoint of a lane, by size. Nothing of them is
// verified.
func (k Kept) All(ctx context.Context, lane string) (all []Signed, err error) {
	paths, err := k.Objects.List(ctx, checkpointsPath(lane), "")
	if err != nil {
		return nil, fmt.Errorf("the checkpoints of %s: %w", lane, err)
	}
	err = readAhead(ctx, int64(len(paths)),
		func(ctx context.Context, i int64) ([]byte, error) { return k.Objects.Get(ctx, paths[i]) },
		func(i int64, b []byte, err error) error {
			all = append(all, Signed{paths[i], b})
			return err
		})
	return all, err
}

// Signed is a signed checkpoint, and where it lies.
type Signed struct {
	Path string
	Note []byte
}

// unverified reads a signed checkpoint without a key.
func unverified(signed []byte) (Checkpoint, error) { return parseCheckpoint(string(signed)) }
