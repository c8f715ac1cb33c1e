package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/webhook"
)

const name = "efferent/webhooks/a"

// TestCache plays one secret's life, by the second. A step may change what
// Secrets Manager answers, and then asks.
func TestCache(t *testing.T) {
	t.Parallel()
	denied, gone := &manager{err: errDenied}, &manager{err: &types.ResourceNotFoundException{}}
	v := func(version, value string) *manager { return &manager{out: text(version, value)} }
	const whenever, day = -1, 24 * 60 * 60 // the zero since; in seconds
	type step struct {
		second int
		now    *manager // what Secrets Manager answers from now on
		key    string
		since  int    // second
		want   string // the key that signs, or ""
		is     error
		reads  int // in all
	}
	for label, steps := range map[string][]step{
		"within the TTL, and after it": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {119, v("v2", "t"), "", whenever, "s", nil, 1},
			{120, nil, "", whenever, "t", nil, 2},
		},
		"a newer one is wanted": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {29, v("v2", "t"), "", 29, "s", nil, 1}, // half a minute is not over
			{30, nil, "", 30, "t", nil, 2}, {31, nil, "", whenever, "t", nil, 2}, {59, nil, "", 59, "t", nil, 2},
			{60, nil, "", 30, "t", nil, 2}, // it was read then
			{60, nil, "", 31, "t", nil, 3}, {150, nil, "", whenever, "t", nil, 3},
		},
		"the keys of a JSON secret share one read": {
			{0, v("v1", `{"a":"s","b":"t"}`), "#a", whenever, "s", nil, 1}, {1, nil, "#b", whenever, "t", nil, 1},
			{40, v("v2", `{"a":"s","b":"u"}`), "#b", 40, "u", nil, 2},
			{40, nil, "#a", 40, "s", nil, 2}, // its own text is the same
			{41, nil, "#a", whenever, "s", nil, 2}, {41, nil, "#b", whenever, "u", nil, 2},
		},
		"what one key finds out, the others know": {
			{0, v("v1", `{"a":"s","b":"t"}`), "#a", whenever, "s", nil, 1}, {1, nil, "#b", whenever, "t", nil, 1},
			{40, v("v2", `{"a":"u","b":"w"}`), "#b", 40, "w", nil, 2}, {41, nil, "#a", whenever, "u", nil, 2},
		},
		"a key that was put a moment ago": {
			{0, v("v1", `{"a":"s"}`), "#a", whenever, "s", nil, 1}, {0, nil, "#b", whenever, "", webhook.ErrSecretUnusable, 1},
			{1, v("v2", `{"a":"s","b":"t"}`), "#b", whenever, "t", nil, 2}, {1, nil, "#a", whenever, "s", nil, 2},
		},
		"a key that was put a moment ago, and can't be read": {
			{0, v("v1", `{"a":"s"}`), "#a", whenever, "s", nil, 1}, {5, denied, "#b", whenever, "", errDenied, 2},
			{5, nil, "#b", whenever, "", errDenied, 2}, {5, nil, "#a", whenever, "s", nil, 2},
			{6, v("v2", `{"b":"t"}`), "#b", whenever, "t", nil, 3},
		},
		"a secret that is put after it was missed": {
			{0, gone, "", whenever, "", webhook.ErrSecretNotFound, 1}, {0, nil, "#a", 0, "", webhook.ErrSecretNotFound, 1},
			{1, v("v1", "s"), "", whenever, "s", nil, 2},
		},
		"a secret that is missed again and again": {
			{0, gone, "", whenever, "", webhook.ErrSecretNotFound, 1}, {1, nil, "", whenever, "", webhook.ErrSecretNotFound, 2},
		},
		"a secret that is mended": {
			{0, v("v1", ""), "", whenever, "", webhook.ErrSecretUnusable, 1}, {0, nil, "", whenever, "", webhook.ErrSecretUnusable, 1},
			{1, v("v2", "s"), "", whenever, "s", nil, 2},
		},
		"a secret that goes": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {30, gone, "", 30, "", webhook.ErrSecretNotFound, 2},
		},
		"a failure that may pass, with nothing known": {
			{0, denied, "", whenever, "", errDenied, 1}, {0, nil, "", 0, "", errDenied, 1}, {1, v("v1", "s"), "", whenever, "s", nil, 2},
			{2, nil, "", 2, "s", nil, 2},
		},
		"a failure that may pass, with a value known": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {30, denied, "", 30, "s", nil, 2}, {59, nil, "", 59, "s", nil, 2},
			{60, nil, "", 60, "s", nil, 3}, {100, v("v2", "t"), "", 100, "t", nil, 4},
		},
		"after a failure the TTL is still the value's": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {30, denied, "", 30, "s", nil, 2}, {119, v("v2", "t"), "", whenever, "s", nil, 2},
			{120, nil, "", whenever, "t", nil, 3},
		},
		"a failure past the TTL": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {120, denied, "", whenever, "s", nil, 2},
			{149, v("v2", "s"), "", 149, "s", nil, 2}, {150, nil, "", whenever, "s", nil, 3}, // the text is still the same
			{151, v("v3", "t"), "", whenever, "s", nil, 3}, {270, nil, "", whenever, "t", nil, 4},
		},
		"failures for a day past the TTL": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {120, denied, "", whenever, "s", nil, 2},
			{day + 119, nil, "", whenever, "s", nil, 3}, {day + 148, nil, "", whenever, "s", nil, 3},
			{day + 149, nil, "", whenever, "", errDenied, 4}, {day + 151, v("v2", "s"), "", whenever, "s", nil, 5},
		},
		"a failure a day past the TTL": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {day + 120, denied, "", whenever, "", errDenied, 2},
		},
		"a secret that goes in an outage": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {120, denied, "", whenever, "s", nil, 2},
			{150, gone, "", whenever, "", webhook.ErrSecretNotFound, 3}, {151, denied, "", whenever, "", errDenied, 4},
		},
		"a secret that is spoilt in an outage": {
			{0, v("v1", "s"), "", whenever, "s", nil, 1}, {120, denied, "", whenever, "s", nil, 2},
			{150, v("v2", ""), "", whenever, "", webhook.ErrSecretUnusable, 3},
		},
		"a key that is not known in an outage": {
			{0, v("v1", `{"a":"s"}`), "#a", whenever, "s", nil, 1}, {120, denied, "#b", whenever, "", errDenied, 2},
			{120, nil, "#a", whenever, "s", nil, 2},
		},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			now, m := at, &manager{}
			s := &Signing{API: m, TTL: 2 * time.Minute, Now: func() time.Time { return now }}
			for i, x := range steps {
				now = at.Add(time.Duration(x.second) * time.Second)
				if x.now != nil {
					m.out, m.err = x.now.out, x.now.err
				}
				var since time.Time
				if x.since != whenever {
					since = at.Add(time.Duration(x.since) * time.Second)
				}
				keys, err := s.Keys(t.Context(), name+x.key, since)
				if !signs(keys, now, x.want) || !errors.Is(err, x.is) || (err == nil) != (x.is == nil) || m.calls != x.reads {
					t.Fatalf("step %d: got %d keys, error %v after %d reads; want %q, %v after %d",
						i, len(keys.Secrets), err, m.calls, x.want, x.is, x.reads)
				}
			}
		})
	}
}

// A TTL below half a minute is an operator's choice.
func TestShortTTL(t *testing.T) {
	t.Parallel()
	now, m := at, &manager{out: text("v1", "s")}
	s := &Signing{API: m, TTL: 5 * time.Second, Now: func() time.Time { return now }}
	for i, want := range []int{1, 1, 2} {
		if _, err := s.Keys(t.Context(), name, now); err != nil || m.calls != want {
			t.Errorf("look %d: %v after %d reads, want %d", i, err, m.calls, want)
		}
		now = now.Add(4 * time.Second)
	}
}

// TestOneRequestForManyCallers asks by several keys at once, while the request
// hangs for a while, or for good.
func TestOneRequestForManyCallers(t *testing.T) {
	t.Parallel()
	for label, answered := range map[string]bool{"answered": true, "never answered": false} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &manager{out: text("v1", `{"0":"s","1":"t","2":"u"}`), release: make(chan struct{})}
				s := &Signing{API: m, Now: time.Now}
				start := time.Now()
				var all sync.WaitGroup
				for i := range 10 {
					all.Go(func() {
						_, err := s.Keys(t.Context(), fmt.Sprintf("%s#%d", name, i%3), time.Now())
						if answered && err != nil || !answered && !errors.Is(err, context.DeadlineExceeded) {
							t.Error(err)
						}
					})
				}
				synctest.Wait()
				if answered {
					close(m.release)
				}
				all.Wait()
				_, err := s.Keys(t.Context(), name+"#3", time.Now()) // the next batch
				if answered != errors.Is(err, webhook.ErrSecretUnusable) || answered == errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("then %v", err)
				}
				if m.calls != 1 || !answered && time.Since(start) != fetchTimeout {
					t.Errorf("%d requests, %s for 10 callers at once", m.calls, time.Since(start))
				}
			})
		})
	}
}

// TestAnOutageHoldsUpNobody: while Secrets Manager hangs, who has keys waits a
// second for newer ones, or as long as its own context, once in half a minute.
func TestAnOutageHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &manager{out: text("v1", "s")}
		s := &Signing{API: m, Now: time.Now}
		ask := func(ctx context.Context, since time.Time, want time.Duration) {
			start := time.Now()
			if keys, err := s.Keys(ctx, name, since); err != nil || !signs(keys, start, "s") || time.Since(start) != want {
				t.Errorf("got %+v, %v after %v, want s after %v", keys, err, time.Since(start), want)
			}
		}
		ask(t.Context(), time.Time{}, 0)
		m.release = make(chan struct{})
		time.Sleep(DefaultTTL)
		hasty, stop := context.WithTimeout(t.Context(), patience/2)
		defer stop()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { ask(t.Context(), time.Time{}, patience) })
		}
		all.Go(func() { ask(hasty, time.Time{}, patience/2) })
		all.Wait()
		time.Sleep(fetchTimeout)
		ask(t.Context(), time.Now(), 0)
		if m.calls != 2 {
			t.Errorf("%d requests", m.calls)
		}
		time.Sleep(quiet)
		ask(t.Context(), time.Now(), patience)
		time.Sleep(fetchTimeout)
	})
}

// A caller waits no longer than it may, and the look-up goes on for others.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &manager{out: text("v1", "s"), release: make(chan struct{})}
		s := &Signing{API: m, Now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { _, err := s.Keys(ctx, name, time.Time{}); gone <- err }()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(m.release)
		if keys, err := s.Keys(t.Context(), name, time.Time{}); err != nil || !signs(keys, time.Now(), "s") || m.calls != 1 {
			t.Errorf("got %+v, %v after %d calls", keys, err, m.calls)
		}
	})
}

// What nobody asks for any more is forgotten: who may send may name anything.
func TestForgets(t *testing.T) {
	t.Parallel()
	now, m := at, &manager{err: &types.ResourceNotFoundException{}}
	s := &Signing{API: m, TTL: time.Minute, Now: func() time.Time { return now }}
	held := func() (n int) { s.cache.readings.Range(func(any, any) bool { n++; return true }); return n }
	for i := range 100 {
		_, _ = s.Keys(t.Context(), fmt.Sprint(name, i), time.Time{})
	}
	if held() != 100 {
		t.Errorf("%d are held", held())
	}
	now = now.Add(time.Hour)
	m.out, m.err = text("v1", "s"), nil
	if _, _ = s.Keys(t.Context(), name, time.Time{}); held() != 1 {
		t.Errorf("%d are held an hour later", held())
	}
	// What is there may be needed in an outage.
	for _, c := range []struct {
		later time.Duration
		held  int
	}{{12 * time.Hour, 2}, {13 * time.Hour, 2}} {
		now = now.Add(c.later)
		if _, _ = s.Keys(t.Context(), fmt.Sprint(name, c.later), time.Time{}); held() != c.held {
			t.Errorf("%d are held %v later, want %d", held(), c.later, c.held)
		}
	}
}

// Others may have read a secret, or forgotten it, while somebody is on the way
// to read it anew.
func TestOnTheWay(t *testing.T) {
	t.Parallel()
	m := &manager{out: text("v1", "s")}
	s := &Signing{API: m, Now: func() time.Time { return at }}
	for range 2 {
		l, err := s.cache.renew(t.Context(), s.rule(), name, &reading{})
		if err != nil || l == nil || l.text != "s" || m.calls != 1 {
			t.Errorf("got %+v, %v after %d reads", l, err, m.calls)
		}
	}
}

// TestChanged: what is known to have changed is read once more, however recently it was
// read, and once only where it can't be.
func TestChanged(t *testing.T) {
	t.Parallel()
	now, m := at, &manager{out: text("v1", "s")}
	s := &Signing{API: m, Now: func() time.Time { return now }}
	ask := func(want string, reads int) {
		t.Helper()
		if keys, err := s.Keys(t.Context(), name, time.Time{}); err != nil || !signs(keys, now, want) || m.calls != reads {
			t.Errorf("got %d keys, %v after %d reads; want %q after %d", len(keys.Secrets), err, m.calls, want, reads)
		}
	}
	s.Changed(name+"#a", now) // nobody has read it
	ask("s", 1)
	now = now.Add(time.Second)
	m.out = text("v2", "t")
	s.Changed(name, now.Add(-2*time.Second)) // before it was read
	ask("s", 1)
	s.Changed(name, now)
	ask("t", 2)
	s.Changed(name, now)
	ask("t", 2)
	now, m.err = now.Add(time.Second), errDenied
	for range 3 {
		s.Changed(name, now)
		ask("t", 3)
	}
	now, m.err, m.out = now.Add(quiet), nil, text("v3", "u")
	ask("u", 4)
}
