package awsdynamodb

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/storetest"
)

func newPaces() (*Paces, *fakeTable) {
	f := newFakeTable(paceName, "")
	return &Paces{API: f, Table: "pace", Wait: atOncePause}, f
}

func TestPaces(t *testing.T) {
	t.Parallel()
	store, _ := newPaces()
	storetest.TestPaces(t, store)
}

func askFor(n int, at time.Duration, seen pace.State) pace.Ask {
	return pace.Ask{Key: "slack:1", Rate: pace.Rate{Interval: time.Second}, Now: due.Add(at), Patience: 3 * time.Second,
		Wishes: make([]pace.Wish, n), Seen: seen}
}

// TestWhatPacesCost: a batch costs one write where it knows how the key stands, or
// nobody has asked lately, and two where it does not.
func TestWhatPacesCost(t *testing.T) {
	t.Parallel()
	store, f := newPaces()
	var seen, other pace.State
	for _, c := range []struct {
		name   string
		n      int
		at     time.Duration
		seen   *pace.State
		writes float64
	}{
		{"the first", 2, 0, &seen, 1},
		{"the first of another process", 10, 0, &other, 2},
		{"one that does not know of that", 10, 0, &seen, 2},
		{"one that does", 10, 0, &seen, 1},
		{"the other", 10, 0, &other, 1},
		{"after a rest", 1, time.Hour, &seen, 1},
		{"the other after a rest", 1, time.Hour + time.Millisecond, &other, 2},
		{"the next", 1, time.Hour + 2*time.Millisecond, &other, 1},
		{"another that does not know of the last", 1, time.Hour + 3*time.Millisecond, &seen, 1},
	} {
		before := f.writes
		now, turns, err := store.Take(t.Context(), askFor(c.n, c.at, *c.seen))
		if writes := f.writes - before; err != nil || writes != c.writes || len(turns) != c.n || f.reads != 0 {
			t.Errorf("%s: %v write units, %v read units, %v", c.name, writes, f.reads, err)
		}
		*c.seen = now
	}
}

// TestPacesExpire a day after they are at rest, whatever has changed them.
func TestPacesExpire(t *testing.T) {
	t.Parallel()
	store, f := newPaces()
	seen, _, err := store.Take(t.Context(), askFor(10, 0, pace.State{}))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"taken": func() error { return nil },
		"slowed": func() (err error) {
			seen, err = store.Slow(t.Context(), pace.Slow{Key: "slack:1", Now: due, Until: due.Add(time.Hour), Seen: seen})
			return err
		},
	} {
		if err := change(); err != nil {
			t.Fatal(name, err)
		}
		for _, i := range f.items {
			want := strconv.FormatInt(seen.Rest().Add(24*time.Hour).Unix(), 10)
			if n, ok := i[expiresName].(*types.AttributeValueMemberN); !ok || n.Value != want {
				t.Errorf("%s: it expires at %v, want %s", name, i[expiresName], want)
			}
		}
	}
}

// TestWhoCantWaitTakesNothing: also where the line is much longer than was seen.
func TestWhoCantWaitTakesNothing(t *testing.T) {
	t.Parallel()
	store, _ := newPaces()
	seen, _, err := store.Take(t.Context(), askFor(1, 0, pace.State{}))
	if err != nil {
		t.Fatal(err)
	}
	was, _, err := store.Take(t.Context(), askFor(100, 0, seen))
	if err != nil {
		t.Fatal(err)
	}
	for name, behind := range map[string]pace.State{"nothing": {}, "the first": seen, "all": was,
		"a short line": {Go: was.Go, Line: due.Add(4 * time.Second)}} {
		a := askFor(3, 0, behind)
		for n := range a.Wishes {
			a.Wishes[n].Until = due.Add(9 * time.Second)
		}
		now, turns, err := store.Take(t.Context(), a)
		if err != nil || !now.Same(was) {
			t.Errorf("who has seen %s: %+v was %+v, %v", name, now, was, err)
		}
		for _, turn := range turns {
			if !turn.At.IsZero() {
				t.Errorf("who has seen %s: %+v", name, turn)
			}
		}
	}
}

// TestManyAtOnceAskOnce: of many who ask of a line at the same time none asks twice.
func TestManyAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	store, f := newPaces()
	seen, _, err := store.Take(t.Context(), askFor(10, 0, pace.State{}))
	if err != nil {
		t.Fatal(err)
	}
	before := f.writes
	for range 20 {
		if _, _, err := store.Take(t.Context(), askFor(10, 0, seen)); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.writes - before; n != 20 {
		t.Errorf("%v writes for 20 batches", n)
	}
}

// TestPaceFaults: what fails says so, and names the table. What failed but persisted
// has taken times, which go to nobody.
func TestPaceFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Paces) error
	}{
		{"take", "UpdateItem", func(ctx context.Context, p *Paces) error {
			_, _, err := p.Take(ctx, askFor(2, 0, pace.State{}))
			return err
		}},
		{"slow", "UpdateItem", func(ctx context.Context, p *Paces) error {
			_, err := p.Slow(ctx, pace.Slow{Key: "slack:1", Now: due, Until: due.Add(time.Hour)})
			return err
		}},
		{"look", "BatchGetItem", func(ctx context.Context, p *Paces) error {
			_, err := p.Slow(ctx, pace.Slow{Key: "slack:1", Now: due, Seen: pace.State{Interval: time.Second, Learned: due}})
			return err
		}},
		{"read", "BatchGetItem", func(ctx context.Context, p *Paces) error {
			_, err := p.Paces(ctx, []string{"slack:1"})
			return err
		}},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			store, f := newPaces()
			f.fault = func(request string, _ any) (before, after error) {
				switch {
				case request != c.request:
					return nil, nil
				case persists:
					return nil, errDown
				}
				return errDown, nil
			}
			if err := c.do(t.Context(), store); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table pace") {
				t.Errorf("%s/%s: got %v", c.name, name, err)
			}
			f.fault = nil
			if err := c.do(t.Context(), store); err != nil {
				t.Errorf("%s/%s, again: %v", c.name, name, err)
			}
		}
	}
}

// TestPacesOfOthers: nobody is given a time where all are faster all the time.
func TestPacesOfOthers(t *testing.T) {
	t.Parallel()
	store, f := newPaces()
	f.fault = func(request string, _ any) (before, after error) {
		if request == "UpdateItem" {
			return &types.ConditionalCheckFailedException{}, nil
		}
		return nil, nil
	}
	if _, turns, err := store.Take(t.Context(), askFor(2, 0, pace.State{})); !errors.Is(err, pace.ErrBusy) || turns != nil {
		t.Errorf("%v, %v", turns, err)
	}
}

// TestPacesThatCannotBeRead: nothing is taken for what it is not.
func TestPacesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]types.AttributeValue{
		"none": nil, "a text": &types.AttributeValueMemberS{Value: "1"}, "a part": &types.AttributeValueMemberN{Value: "1.5"},
	} {
		store, f := newPaces()
		if _, _, err := store.Take(t.Context(), askFor(1, 0, pace.State{})); err != nil {
			t.Fatal(err)
		}
		for _, item := range f.items {
			if delete(item, intervalName); bad != nil {
				item[intervalName] = bad
			}
		}
		if got, err := store.Paces(t.Context(), []string{"slack:1"}); err == nil || !strings.Contains(err.Error(), "table pace") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
