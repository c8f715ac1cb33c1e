package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
)

// appends is a change that would be seen if it was made twice.
func appends(text string) func(rotation.Version) (string, error) {
	return func(old rotation.Version) (string, error) { return old.Text + text, nil }
}

// TestChangeWithFaults makes a change with a fault in each of its calls, and in
// each two: it is made once, or it is told that it was not, or that it may have
// been.
func TestChangeWithFaults(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "old"} {
		for first := range 10 {
			for second := first + 1; second <= 10; second++ {
				for effects := range 4 {
					t.Run(fmt.Sprintf("on %q, faults in %d and %d, %b", before, first, second, effects), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							s := &store{faults: map[int]bool{first: effects&1 != 0, second: effects&2 != 0}}
							if before != "" {
								s.put(t, before)
							}
							changedOnce(t, s, before)
						})
					})
				}
			}
		}
	}
}

func changedOnce(t *testing.T, s *store, before string) {
	v, err := rotation.Change(t.Context(), s, name, appends("+"))
	now := s.holds(t, rotation.Current)
	if err != nil {
		if !errors.Is(err, errDown) || now != before && (now != before+"+" || !strings.Contains(err.Error(), "may have been")) {
			t.Errorf("got %v, and it holds %q", err, now)
		}
		if _, atOnce := s.faults[1]; !atOnce && len(s.faults) < 2 {
			t.Errorf("one fault was too many: %v", err)
		}
		return
	}
	if now != before+"+" || v.Text != now || s.holds(t, rotation.Previous) != before {
		t.Errorf("it holds %q, and %q before that; %q was told", now, s.holds(t, rotation.Previous), v.Text)
	}
}

// TestOneFaultIsBorne: whatever one call does after the first, the change is made.
func TestOneFaultIsBorne(t *testing.T) {
	t.Parallel()
	for fault := 2; fault <= 4; fault++ {
		for _, effect := range []bool{false, true} {
			for _, before := range []string{"", "old"} {
				synctest.Test(t, func(t *testing.T) {
					s := &store{faults: map[int]bool{fault: effect}}
					if before != "" {
						s.put(t, before)
					}
					_, err := rotation.Change(t.Context(), s, name, appends("+"))
					if now := s.holds(t, rotation.Current); err != nil || now != before+"+" {
						t.Errorf("on %q, fault in call %d, with effect %v: %v, and it holds %q", before, fault, effect, err, now)
					}
				})
			}
		}
	}
}

// TestNobodyKnows: where nothing can be learned any more, that is told. What was
// surely not done is told so too.
func TestNobodyKnows(t *testing.T) {
	t.Parallel()
	for call, told := range map[int]string{1: "", 2: "may have been", 3: "may have been"} {
		synctest.Test(t, func(t *testing.T) {
			s := &store{faults: map[int]bool{}}
			s.put(t, "old")
			for ; call < 10; call++ {
				s.faults[call] = true
			}
			_, err := rotation.Change(t.Context(), s, name, appends("+"))
			if !errors.Is(err, errDown) || strings.Contains(err.Error(), "may have been") != (told != "") || s.calls > 8 {
				t.Errorf("got %v after %d calls", err, s.calls)
			}
		})
	}
}

// TestSomebodyIsFaster: what somebody else does ahead of any call is not lost, and
// nothing is made twice.
func TestSomebodyIsFaster(t *testing.T) {
	t.Parallel()
	for call := 1; call <= 8; call++ {
		for _, before := range []string{"", "old"} {
			for lost := range 5 { // 0: no answer is
				synctest.Test(t, func(t *testing.T) {
					s := &store{faults: map[int]bool{}}
					if before != "" {
						s.put(t, before)
					}
					if lost > 1 {
						s.faults[lost] = true
					}
					s.before = map[int]func(){call: func() { s.put(t, s.holds(t, rotation.Current)+"theirs") }}
					_, err := rotation.Change(t.Context(), s, name, appends("+"))
					now := s.holds(t, rotation.Current)
					if err != nil || strings.Count(now, "+") != 1 || s.calls >= call && strings.Count(now, "theirs") != 1 {
						t.Errorf("on %q, ahead of call %d, with the answer of %d lost: %v, and it holds %q", before, call, lost, err, now)
					}
				})
			}
		}
	}
}

func TestOthersAreAlwaysFaster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{before: map[int]func(){}}
		s.put(t, "old")
		for call := range 1000 {
			s.before[call] = func() { s.put(t, fmt.Sprint(call)) }
		}
		_, err := rotation.Change(t.Context(), s, name, appends("+"))
		if !errors.Is(err, rotation.ErrFaster) || !strings.Contains(err.Error(), "20 times") || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v", err)
		}
		if now := s.holds(t, rotation.Current); strings.Contains(now, "+") {
			t.Errorf("it holds %q", now)
		}
	})
}

func TestChangeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	s := &store{}
	s.put(t, "old")
	s.before = map[int]func(){3: func() { s.put(t, "theirs"); stop() }}
	if _, err := rotation.Change(ctx, s, name, appends("+")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestWhatIsNotChanged: what another try would not mend is told at once, and a
// change that changes nothing writes nothing.
func TestWhatIsNotChanged(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for label, c := range map[string]struct {
		name  string
		made  string
		err   error
		is    error
		says  string
		calls int
	}{
		"refused":     {name, "", refused, refused, "", 1},
		"the same":    {name, "old", nil, nil, "", 1},
		"too long":    {name, strings.Repeat("x", rotation.MaxText+1), nil, nil, "65537 bytes, and can have 65536", 1},
		"just so":     {name, strings.Repeat("x", rotation.MaxText), nil, nil, "", 3},
		"an ARN of 0": {"arn:aws:secretsmanager:eu-north-1:1:secret:none", "x", nil, rotation.ErrNone, "arn:", 3},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			s.put(t, "old")
			_, err := rotation.Change(t.Context(), s, c.name, func(rotation.Version) (string, error) { return c.made, c.err })
			if c.is != nil && !errors.Is(err, c.is) || (err != nil) != (c.is != nil || c.says != "") || s.calls != c.calls {
				t.Errorf("got %v after %d calls", err, s.calls)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "may have been")) {
				t.Errorf("%q does not tell %q", err, c.says)
			}
		})
	}
}

// TestManyWriters: of keys that are set at once, none is lost, and each is made
// once.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const writers = 16
		s := &store{}
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				_, err := rotation.Change(t.Context(), s, name, func(old rotation.Version) (string, error) {
					return signingkey.Put(old.Text, fmt.Sprint("ep", n), fmt.Sprint("key ", n))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		keys, err := signingkey.Parse(s.holds(t, rotation.Current))
		if err != nil || len(keys.Names()) != writers {
			t.Errorf("got %q, %v", keys.Names(), err)
		}
	})
}

func TestVersionsHideTheirText(t *testing.T) {
	t.Parallel()
	v := rotation.Version{ID: "id", Text: "hunter2"}
	if told := fmt.Sprintf("%v %+v %#v %s", v, v, v, v); strings.Contains(told, "hunter2") {
		t.Error(told)
	}
}
