package waiting

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func due(n int, d time.Duration) Item {
	return Item{MessageID: fmt.Sprintf("m%05d", n), Attempt: 1, Due: noon.Add(d), State: Waiting}
}

// TestSpread: many that are overdue are spread over the minute, as evenly as
// seconds allow, and no more go in one visit.
func TestSpread(t *testing.T) {
	t.Parallel()
	v := &visit{Exit: &Exit{Now: func() time.Time { return noon }}}
	perSecond := map[time.Duration]int{}
	for n := 0; n < 7000; n += batchSize {
		var items []Item
		for i := range batchSize {
			items = append(items, due(n+i, time.Duration(n+i)-time.Hour))
		}
		last := time.Duration(0)
		for _, l := range v.due(items, 90*time.Second) {
			if perSecond[l.delay]++; l.delay < last {
				t.Fatalf("%s comes before an older one", l.ID())
			}
			last = l.delay
		}
	}
	for second := range time.Duration(60) {
		if n := perSecond[second*time.Second]; n != perSecondWanted {
			t.Errorf("%d come in second %d, want %d", n, second, perSecondWanted)
		}
	}
	if len(perSecond) != 60 {
		t.Errorf("they come in %d seconds", len(perSecond))
	}
}

const perSecondWanted = 100

// TestDueProperty: whatever is due when, none comes before it is due, nor over a
// second late unless it was overdue, and SQS can hold it back as long.
func TestDueProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		within := time.Duration(rapid.Int64Range(0, int64(15*time.Minute)).Draw(t, "within"))
		v := &visit{Exit: &Exit{Now: func() time.Time { return noon }}}
		at := rapid.Int64Range(-int64(time.Hour), 0).Draw(t, "first")
		var items []Item
		for n, step := range rapid.SliceOfN(rapid.Int64Range(0, int64(time.Minute)), 0, 200).Draw(t, "steps") {
			at += step
			items = append(items, due(n, time.Duration(at)))
		}
		chosen := v.due(items, within)
		for n, l := range chosen {
			comes, d := noon.Add(l.delay), l.Due.Sub(noon)
			switch {
			case l.ID() != items[n].ID():
				t.Fatalf("%s goes as number %d", l.ID(), n)
			case l.delay%time.Second != 0 || l.delay < 0 || l.delay > 15*time.Minute:
				t.Fatalf("SQS can't hold it back for %s", l.delay)
			case comes.Before(l.Due) || d > within:
				t.Fatalf("what is due in %s comes in %s", d, l.delay)
			case d > 0 && comes.Sub(l.Due) >= time.Second, d <= 0 && l.delay > 2*time.Second:
				t.Fatalf("what is due in %s comes in %s", d, l.delay)
			}
		}
		if rest := items[len(chosen):]; len(rest) > 0 && rest[0].Due.Sub(noon) <= within {
			t.Fatalf("%s stays", rest[0].ID())
		}
	})
}
