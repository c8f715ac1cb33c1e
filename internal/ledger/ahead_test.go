package ledger

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestReadAheadEndsWithItsReaders ends reading early, while the next objects
// are being read: nobody may still be at the store when it has returned.
func TestReadAheadEndsWithItsReaders(t *testing.T) {
	t.Parallel()
	errUse := errors.New("this one is bad")
	for name, c := range map[string]struct {
		cancelled bool // by the caller, before anything is read
		useErr    error
		want      error
	}{
		"all is used":                {want: nil},
		"an object is bad":           {useErr: errUse, want: errUse},
		"the caller has given it up": {cancelled: true, want: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancelled {
					cancel()
				}
				var atWork atomic.Int64
				get := func(ctx context.Context, i int64) ([]byte, error) {
					atWork.Add(1)
					defer atWork.Add(-1)
					time.Sleep(time.Duration(i) * time.Second) // a store that does not hear of the cancelling
					return nil, ctx.Err()
				}
				use := func(i int64, _ []byte, err error) error {
					if i == 2 && c.useErr != nil {
						return c.useErr
					}
					return err
				}
				if err := readAhead(ctx, 40, get, use); !errors.Is(err, c.want) {
					t.Errorf("readAhead = %v, want %v", err, c.want)
				}
				if n := atWork.Load(); n != 0 {
					t.Errorf("%d objects are still being read after the end", n)
				}
			})
		})
	}
}
