// Package checkpoint is the room that signs the ledger: now and then it reads
// what has been appended to each lane, and signs the tree if it is the one that
// was signed before and more.
//
// It believes nothing that the appender wrote: it makes the tree anew from the
// entries, going on from the tree that it signed last, and signs only what
// comes out. What it keeps lies where the appender can't write.
package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/need"
)

// Tiles is where unfinished tiles and the newest checkpoint are put for others'
// tools, beside the full tiles. It is used by many goroutines at once.
type Tiles interface {
	// Put keeps b under path, durably once it returns nil. The same may be put
	// again; ledger.ErrChanged: other bytes are there, and stay.
	Put(ctx context.Context, path string, b []byte) error
	// Replace keeps b under path, whatever is there.
	Replace(ctx context.Context, path string, b []byte) error
}

// Kept keeps checkpoints (ledger.Kept). It is used by many goroutines at once.
type Kept interface {
	// Newest returns the newest signed checkpoint, nil where there is none.
	Newest(ctx context.Context, lane string) ([]byte, error)
	// Keep keeps a signed checkpoint, durably once it returns nil. The same may
	// be kept again; ledger.ErrChanged: another of that size is kept.
	Keep(ctx context.Context, lane string, size int64, signed []byte) error
}

// MonthKeys makes the keys of the ledger's hashes. It is used by many at once.
type MonthKeys interface {
	// Make sees to it that each month (ledger.Month) has a key, kept durably once
	// it returns nil. Keys that are there stay as they are, whoever else makes
	// some at the same time.
	Make(ctx context.Context, months ...string) error
}

// Needs is what the handler works with; all of it is needed.
type Needs struct {
	Ledger ledger.Reader
	Tiles  Tiles
	Kept   Kept
	Key    ledger.SigningKey
	// MonthKeys are made ahead of time: who sends makes none, and does not wait.
	MonthKeys MonthKeys
	// Origin is the ledger's; a lane's is it, a slash, and the lane.
	Origin string
	// Lanes is how many lanes entries are spread over now. Further ones, from
	// when there were more, are signed too, up to the first empty one.
	Lanes int
	Now   func() time.Time
	Log   *slog.Logger
}

// keysTime is how long the keys may take: what is signed must not wait for them
// for long.
const keysTime = 5 * time.Second

// Handler signs. Two may run at once: both sign the same trees.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the signer of checkpoints: %w", err)
	}
	return &Handler{n}, nil
}

// Handle signs every lane that grew, and makes this month's key and the next
// one's. Its error names each lane that it did not sign, and the keys;
// ledger.ErrChanged among them means that a lane is not what was signed.
func (h *Handler) Handle(ctx context.Context) error {
	var errs []error
	if err := h.MakeKeys(ctx); err != nil {
		h.Log.ErrorContext(ctx, "the keys of the ledger's hashes were not made; without the month's, entries hold no hashes", "error", err)
		errs = append(errs, err)
	}
	for i := 0; i < ledger.MaxLanes; i++ {
		lane := ledger.LaneName(i)
		size, err := h.lane(ctx, lane)
		if err != nil {
			h.Log.ErrorContext(ctx, "a lane of the ledger was not signed", "lane", lane, "changed", errors.Is(err, ledger.ErrChanged), "error", err)
			errs = append(errs, fmt.Errorf("%s: %w", lane, err))
		}
		if i >= h.Lanes && size == 0 {
			break
		}
	}
	return errors.Join(errs...)
}

// MakeKeys makes the keys of this month and of the next.
func (h *Handler) MakeKeys(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, keysTime)
	defer stop()
	now := h.Now().UTC()
	next := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	return h.MonthKeys.Make(ctx, ledger.Month(now), ledger.Month(next))
}

// lane signs one lane, if it grew, and returns its size.
func (h *Handler) lane(ctx context.Context, lane string) (size int64, err error) {
	signer, err := ledger.NewSigner(ctx, ledger.OriginOf(h.Origin, lane), h.Key)
	if err != nil {
		return 0, err
	}
	last, err := h.last(ctx, lane, signer)
	if err != nil {
		return 0, err
	}
	log, err := ledger.OpenLog(ctx, h.Ledger, lane)
	if err != nil {
		return 0, err
	}
	if size = log.Head.Size; size == last.Size && (size == 0 || log.Head.Root() == last.Root) {
		return size, nil
	}
	frontier, err := h.grow(ctx, log, last)
	if err != nil {
		return size, err
	}
	if err := h.putPartial(ctx, log, frontier); err != nil {
		return size, err
	}
	signed, err := ledger.Checkpoint{Origin: signer.Name(), Size: size, Root: frontier.Root()}.Sign(signer)
	if err != nil {
		return size, err
	}
	if err := h.Kept.Keep(ctx, lane, size, signed); err != nil {
		return size, err
	}
	// It is kept: that others' tools don't see it yet is no reason to fail.
	if err := h.Tiles.Replace(ctx, lane+"/checkpoint", signed); err != nil {
		h.Log.WarnContext(ctx, "the newest checkpoint was not put beside its tiles; the next one will be", "lane", lane, "error", err)
	}
	h.Log.InfoContext(ctx, "a lane of the ledger was signed", "lane", lane, "size", size, "new", size-last.Size)
	return size, nil
}

// last is what was signed last, the zero Checkpoint where nothing was.
func (h *Handler) last(ctx context.Context, lane string, key note.Verifier) (ledger.Checkpoint, error) {
	signed, err := h.Kept.Newest(ctx, lane)
	if err != nil || signed == nil {
		return ledger.Checkpoint{}, err
	}
	return ledger.OpenCheckpoint(signed, key)
}

// grow makes the tree anew from the one that was signed last. Its error is
// ledger.ErrChanged where the log is not that tree and more, and its own head's.
func (h *Handler) grow(ctx context.Context, log *ledger.Log, last ledger.Checkpoint) (*ledger.Frontier, error) {
	if log.Head.Size <= last.Size {
		return nil, fmt.Errorf("it has %d entries, and not those %d that were signed: %w", log.Head.Size, last.Size, ledger.ErrChanged)
	}
	frontier, err := ledger.ReadFrontier(last.Size, func(path string) ([]byte, error) {
		return log.Tiles().Get(ctx, path)
	})
	if err != nil || frontier.Root() != last.Root {
		// The unfinished tiles are a short cut only.
		frontier = &ledger.Frontier{}
	}
	err = log.Entries(ctx, frontier.Size, func(index int64, entry []byte) error {
		frontier.Append(ledger.LeafHash(entry))
		if index+1 == last.Size && frontier.Root() != last.Root {
			return fmt.Errorf("its first %d entries are not those that were signed: %w", last.Size, ledger.ErrChanged)
		}
		return nil
	})
	if err == nil && (frontier.Size != log.Head.Size || frontier.Root() != log.Head.Root()) {
		err = fmt.Errorf("its entries from %d on do not make its root: %w", last.Size, ledger.ErrChanged)
	}
	return frontier, err
}

// putPartial puts the tiles and the bundle that the tree ends in.
func (h *Handler) putPartial(ctx context.Context, log *ledger.Log, f *ledger.Frontier) error {
	for _, t := range f.Partial() {
		if err := h.Tiles.Put(ctx, log.Lane+"/"+t.Path(), t.Bytes()); err != nil {
			return err
		}
	}
	width := int(f.Size % ledger.TileWidth)
	if width == 0 {
		return nil
	}
	bundle := log.Rest[len(log.Rest)-width:]
	return h.Tiles.Put(ctx, log.Lane+"/"+ledger.BundlePath(f.Size/ledger.TileWidth, width), ledger.Bundle(bundle))
}
