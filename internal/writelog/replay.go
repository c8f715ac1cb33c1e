package writelog

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
)

// replay gives what is in the log to the store behind, the older file first. Each
// by itself, as a flush would have: what was put in the one and deleted in the
// other may be in the store behind.
func (l *writeLog[C, F]) replay(ctx context.Context) error {
	var folds [2]F
	for i, f := range l.files {
		folds[i] = l.begin()
		left, err := f.read(func(record []byte) error {
			c := new(C)
			err := json.Unmarshal(record, c)
			folds[i].add(c)
			return err
		})
		if err != nil {
			return fmt.Errorf("the log of the last changes: %w", err)
		}
		if left > 0 {
			l.log.Warn("the end of the log is not whole and left out: it was never acknowledged, unless the machine's power failed",
				"file", f.Name(), "bytes", left)
		}
	}
	older := 0
	if l.files[1].number < l.files[0].number {
		older = 1
	}
	for _, i := range []int{older, 1 - older} {
		if err := l.give(ctx, folds[i]); err != nil {
			return err
		}
		if err := l.files[i].empty(); err != nil {
			return err
		}
	}
	l.into = 0
	return l.files[0].begin(max(l.files[0].number, l.files[1].number) + 1)
}
