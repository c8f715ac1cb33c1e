package queuelog

import (
	"context"
	"fmt"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// replay gives what is in the log to the store behind, the older file first. Each
// by itself, as a flush would have: what was put in the one and deleted in the
// other may be in the store behind.
func (s *Store) replay(ctx context.Context) error {
	var folds [2]*fold
	for i, f := range s.files {
		folds[i] = newFold()
		left, err := f.read(func(c *sqsserver.Changes) { folds[i].add(c) })
		if err != nil {
			return fmt.Errorf("the log of the last changes: %w", err)
		}
		if left > 0 {
			s.log.Warn("the end of the log is not whole and left out: it was never acknowledged, unless the machine's power failed",
				"file", f.Name(), "bytes", left)
		}
	}
	older := 0
	if s.files[1].number < s.files[0].number {
		older = 1
	}
	for _, i := range []int{older, 1 - older} {
		if err := s.give(ctx, folds[i]); err != nil {
			return err
		}
		if err := s.files[i].empty(); err != nil {
			return err
		}
	}
	s.into = 0
	return s.files[0].begin(max(s.files[0].number, s.files[1].number) + 1)
}
