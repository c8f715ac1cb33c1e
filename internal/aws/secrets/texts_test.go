package awssecrets

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/channel"
)

// TestTenAskers: those who ask for a channel's secret at once wait for one
// look-up, and no longer than they may.
func TestTenAskers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &manager{release: make(chan struct{})}
		s := &Texts{API: m, Now: time.Now}
		start := time.Now()
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				ctx, stop := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
				defer stop()
				_, err := s.Text(ctx, channel.EmailSecret, start)
				if want := min(time.Duration(i+1)*time.Second, fetchTimeout); err == nil || time.Since(start) != want {
					t.Errorf("asker %d: %v after %v, want it after %v", i, err, time.Since(start), want)
				}
			})
		}
		all.Wait()
		if m.calls != 1 {
			t.Errorf("%d requests", m.calls)
		}
	})
}

// TestTextsLast: a channel is configured for a day longer when its secret can't
// be read.
func TestTextsLast(t *testing.T) {
	t.Parallel()
	now, m := at, &manager{out: text("v1", "{}")}
	s := &Texts{API: m, Now: func() time.Time { return now }}
	for _, c := range []struct {
		later time.Duration
		is    error
	}{{0, nil}, {24 * time.Hour, nil}, {DefaultTTL, errDenied}} {
		now = now.Add(c.later)
		if got, err := s.Text(t.Context(), channel.EmailSecret, time.Time{}); !errors.Is(err, c.is) || (got == "{}") != (c.is == nil) {
			t.Errorf("%v later: got %q, %v", c.later, got, err)
		}
		m.err = errDenied
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	binary := &secretsmanager.GetSecretValueOutput{SecretBinary: []byte("x")}
	for _, c := range []struct {
		name   string
		m      *manager
		absent bool
		err    error
		value  string
		calls  [4]int // after two looks at once, a third 2 s later, a fourth a minute later, a fifth an hour later
	}{
		{name: "a value", m: &manager{out: text("v1", "{}")}, value: "{}", calls: [4]int{1, 1, 1, 2}},
		{name: "none", m: &manager{err: &types.ResourceNotFoundException{}}, absent: true, calls: [4]int{1, 1, 2, 3}},
		{name: "marked for deletion", m: &manager{err: &types.InvalidRequestException{}}, absent: true, calls: [4]int{1, 1, 2, 3}},
		{name: "binary", m: &manager{out: binary}, absent: true, calls: [4]int{1, 1, 2, 3}},
		{name: "unreachable", m: &manager{err: down}, err: down, calls: [4]int{1, 2, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := at
			s := &Texts{API: c.m, Now: func() time.Time { return now }}
			look := func() {
				t.Helper()
				got, err := s.Text(t.Context(), channel.EmailSecret, time.Time{})
				if got != c.value || errors.Is(err, channel.ErrNotConfigured) != c.absent || c.err != nil && !errors.Is(err, c.err) {
					t.Errorf("got %q, %v", got, err)
				}
			}
			look()
			for i, pause := range []time.Duration{0, 2 * time.Second, time.Minute, time.Hour} {
				now = now.Add(pause)
				look()
				if c.m.calls != c.calls[i] {
					t.Errorf("asked %d times %s later, want %d", c.m.calls, pause, c.calls[i])
				}
			}
		})
	}
}
