package storetest

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/pace"
)

// TestPaces runs the suite of what pace.Store promises. The store may be shared by all
// of its tests: each has keys of its own.
func TestPaces(t *testing.T, store pace.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, paces){
		"nothing is there at first":     pacesEmpty,
		"as the pure function has it":   pacesPure,
		"whatever was seen":             pacesSeen,
		"none gets another's time":      pacesAtOnce,
		"many processes, one pace":      pacesOfProcesses,
		"who is refused slows all down": pacesSlow,
		"in line after refusals":        pacesLine,
		"keys apart":                    pacesKeys,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, paces{store, uuid.NewString()})
		})
	}
}

// paces is the store as one test sees it.
type paces struct {
	pace.Store
	key string
}

// ask has wishes for n, of which so many are back, at a time of the test.
func (p paces) ask(at time.Duration, n, back int) pace.Ask {
	a := pace.Ask{Key: p.key, Rate: pace.Rate{Interval: time.Second}, Now: storedAt.Add(at), Patience: 3 * time.Second}
	for i := range n {
		a.Wishes = append(a.Wishes, pace.Wish{Back: i < back})
	}
	return a
}

// takes asks, and wants what the pure function gives.
func (p paces) takes(t *testing.T, was pace.State, a pace.Ask) pace.State {
	t.Helper()
	want, wanted := pace.Take(was, a)
	now, turns, err := p.Take(t.Context(), a)
	if diff := cmp.Diff(inLine(want), inLine(now)) + cmp.Diff(wanted, turns); err != nil || diff != "" {
		t.Fatalf("%d wishes at %v: %v (-want +got):\n%s", len(a.Wishes), a.Now, err, diff)
	}
	return now
}

// inLine is a state without a Line that says nothing.
func inLine(s pace.State) pace.State {
	if !s.Line.After(s.Go) {
		s.Line = time.Time{}
	}
	return s
}

func (p paces) want(t *testing.T, want pace.State) {
	t.Helper()
	soon(t, func() string {
		got, err := p.Paces(t.Context(), []string{p.key, p.key})
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(inLine(want), inLine(got[p.key]))
	})
}

func pacesEmpty(t *testing.T, p paces) {
	if got, err := p.Paces(t.Context(), []string{p.key, p.key + "2"}); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := p.Paces(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	a := p.ask(0, 2, 0)
	a.Interval = 0 // nothing to keep
	p.takes(t, pace.State{}, a)
	p.takes(t, pace.State{}, p.ask(0, 0, 0))
	p.want(t, pace.State{})
}

// pacesPure goes through all kinds of changes: at rest, going, in line, both, bounded,
// late, with a burst, and by parts of a second.
func pacesPure(t *testing.T, p paces) {
	var s pace.State
	for n, a := range p.story() {
		if s = p.takes(t, s, a); n%3 == 0 {
			p.want(t, s)
		}
	}
	p.want(t, s)
}

func (p paces) story() []pace.Ask {
	const ms = time.Millisecond
	bounded := p.ask(40*time.Second, 9, 0)
	for n := range bounded.Wishes {
		bounded.Wishes[n].Until = bounded.Now.Add(time.Duration(9-n) * time.Second)
	}
	none := p.ask(41*time.Second, 3, 0)
	for n := range none.Wishes {
		none.Wishes[n].Until = none.Now
	}
	burst := p.ask(300*time.Second, 7, 0)
	burst.Rate = pace.Rate{Interval: 333333*time.Nanosecond + 1, Burst: 5}
	again := burst
	again.Now = again.Now.Add(ms)
	return []pace.Ask{
		p.ask(0, 1, 0), p.ask(ms, 1, 0), p.ask(2*ms, 1, 0), p.ask(3*ms, 10, 0), p.ask(4*ms, 10, 0), p.ask(5*ms+1, 1, 1),
		p.ask(6*ms, 3, 2), p.ask(10*time.Second, 2, 2), p.ask(20*time.Second, 5, 1), p.ask(25*time.Second, 1, 0), bounded, none,
		p.ask(100*time.Second, 4, 4), p.ask(101*time.Second, 4, 4), p.ask(102*time.Second, 4, 4), burst, again, p.ask(400*time.Second, 1, 1),
		p.ask(399*time.Second, 1, 0),
	}
}

// pacesSeen: whatever was last seen of a key, the turns are those by what is kept.
func pacesSeen(t *testing.T, p paces) {
	for n, seen := range []func(now time.Time, s pace.State) pace.State{
		func(time.Time, pace.State) pace.State { return pace.State{} },
		func(_ time.Time, s pace.State) pace.State { return s },
		func(now time.Time, _ pace.State) pace.State { return pace.State{Go: now.Add(time.Millisecond)} },
		func(now time.Time, _ pace.State) pace.State { return pace.State{Go: now.Add(-time.Second)} },
		func(now time.Time, _ pace.State) pace.State { return pace.State{Go: now.Add(time.Hour)} },
		func(now time.Time, _ pace.State) pace.State {
			return pace.State{Go: now.Add(time.Second), Line: now.Add(2 * time.Second)}
		},
		func(now time.Time, _ pace.State) pace.State { return pace.State{Go: now, Line: now.Add(time.Hour)} },
		func(now time.Time, s pace.State) pace.State {
			return pace.State{Go: s.Go, Line: now.Add(time.Millisecond)}
		},
		func(now time.Time, s pace.State) pace.State { s.Interval, s.Learned = time.Minute, now; return s },
	} {
		var s pace.State
		for _, a := range p.story() {
			a.Key, a.Seen = fmt.Sprint(p.key, "/", n), seen(a.Now, s)
			s = p.takes(t, s, a)
		}
	}
}

// pacesAtOnce: of many who ask at once none gets another's time, nor a place of it.
func pacesAtOnce(t *testing.T, p paces) {
	const askers, each = 20, 10
	var turns [askers][]pace.Turn
	var all sync.WaitGroup
	for n := range turns {
		all.Go(func() {
			var err error
			if _, turns[n], err = p.Take(t.Context(), p.ask(0, each, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	goes, places := times(turns[:])
	want := make([]time.Time, 0, askers*each)
	for n := range askers * each {
		want = append(want, storedAt.Add(time.Duration(n)*time.Second))
	}
	if got := slices.Concat(goes, places); len(goes) != 4 || !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%d go, %d get a place:\n%s", len(goes), len(places), cmp.Diff(want, got))
	}
}

// pacesOfProcesses: of two processes with ten batches at once each, none of which waits
// for the others, all times differ by what the provider takes: as one alone would have
// them.
func pacesOfProcesses(t *testing.T, p paces) {
	const processes, batches, each = 2, 10, 6
	var unreached strings.Builder
	log := slog.New(slog.NewTextHandler(&unreached, nil))
	turns := make([][]pace.Turn, processes*batches)
	var all sync.WaitGroup
	for n := range processes {
		k := &pace.Keeper{Store: p, Patience: 3 * time.Second, Now: func() time.Time { return storedAt }, Log: log}
		for b := range batches {
			turns[n*batches+b] = make([]pace.Turn, each)
			for i := range each {
				all.Go(func() {
					turns[n*batches+b][i], _ = k.Turn(t.Context(), p.key, pace.Rate{Interval: time.Second}, pace.Wish{})
				})
			}
		}
	}
	all.Wait()
	if unreached.Len() > 0 { // so busy a machine that each process kept the pace by itself
		t.Skip(unreached.String())
	}
	goes, places := times(turns)
	for n, at := range slices.Concat(goes, places) {
		if want := storedAt.Add(time.Duration(n) * time.Second); !at.Equal(want) {
			t.Fatalf("turn %d of %d is at %v, want %v", n, len(goes)+len(places), at, want)
		}
	}
}

func times(turns [][]pace.Turn) (goes, places []time.Time) {
	for _, some := range turns {
		for _, turn := range some {
			if turn.Go {
				goes = append(goes, turn.At)
				continue
			}
			places = append(places, turn.At)
		}
	}
	slices.SortFunc(goes, time.Time.Compare)
	slices.SortFunc(places, time.Time.Compare)
	return goes, places
}

func pacesSlow(t *testing.T, p paces) {
	var s pace.State
	for n, r := range []pace.Slow{
		{Now: storedAt},
		{Now: storedAt, Rate: pace.Rate{Interval: time.Second}, Until: storedAt.Add(time.Minute)},
		{Now: storedAt.Add(time.Second), Until: storedAt.Add(time.Second)},
		{Now: storedAt.Add(time.Minute), Seen: pace.State{Go: storedAt}},
		{Now: storedAt.Add(2 * time.Minute), Until: storedAt.Add(time.Hour)},
	} {
		r.Key = p.key
		want := pace.Slower(s, r)
		now, err := p.Slow(t.Context(), r)
		if diff := cmp.Diff(inLine(want), inLine(now)); err != nil || diff != "" {
			t.Fatalf("refusal %d: %v (-want +got):\n%s", n, err, diff)
		}
		s = now
		p.want(t, s)
		a := p.ask(time.Duration(n)*time.Minute, 3, 1)
		if n%2 == 0 {
			a.Interval = 0
		}
		s = p.takes(t, s, a)
	}
}

// pacesLine: a line whose pace changes along it moves on by the one that holds where it
// stands, whatever was seen of it.
func pacesLine(t *testing.T, p paces) {
	for n, back := range []time.Duration{0, time.Second, 30 * time.Second, 3 * time.Minute, -2 * time.Minute, time.Hour} {
		var s pace.State
		q := paces{p.Store, fmt.Sprint(p.key, "/", n)}
		for n := range 8 { // to 12.8 s
			now, err := p.Slow(t.Context(), pace.Slow{Key: q.key, Now: storedAt.Add(time.Duration(n) * 20 * time.Second), Seen: s})
			if err != nil {
				t.Fatal(err)
			}
			s = now
		}
		for n := range 24 {
			a := q.ask(160*time.Second+time.Duration(n)*100*time.Millisecond, 1+n%4*3, n%8/7)
			a.Interval, a.Seen = 0, s
			a.Seen.Line = s.Line.Add(-back)
			s = q.takes(t, s, a)
			q.want(t, s)
		}
	}
}

func pacesKeys(t *testing.T, p paces) {
	want := map[string]pace.State{}
	var keys []string
	for n := range 130 { // more than one request may ask for
		a := p.ask(time.Duration(n)*time.Second, 1, 0)
		a.Key = fmt.Sprint(p.key, "/é\"", n)
		keys = append(keys, a.Key)
		now, _, err := p.Take(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		want[a.Key] = now
	}
	soon(t, func() string {
		got, err := p.Paces(t.Context(), keys)
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got)
	})
}
