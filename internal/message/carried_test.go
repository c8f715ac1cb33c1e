package message

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func carried(attributes map[string]string, sent time.Time) Carried {
	return CarriedBy(func(name string) *string {
		if text, ok := attributes[name]; ok {
			return &text
		}
		return nil
	}, sent)
}

// TestCarriedBy reads what Attributes has written, by when the message was sent:
// one that was redriven begins anew.
func TestCarriedBy(t *testing.T) {
	t.Parallel()
	released := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	all := Carried{ID: "evt_1", Origin: "m-1", Attempts: 7, Base: 2, First: released.Add(-time.Hour), Released: released, Retry: "replay",
		Held: Held{"trouble": 90 * time.Second, "retry-after": time.Hour}, Trace: "00-4bf9", Claim: "m-2"}
	anew := all
	anew.Base, anew.Retry, anew.Held, anew.First = 7, "", nil, time.Time{}
	old := Carried{ID: "evt_1", Origin: "m-1", Attempts: 3, First: released, Retry: "replay"}
	oldRead := old
	oldRead.Attempts, oldRead.First = 0, time.Time{}
	for name, c := range map[string]struct {
		wrote Carried
		after time.Duration
		want  Carried
	}{
		"released":                        {all, 0, all},
		"a minute later, redriven sooner": {all, time.Minute, all},
		"redriven":                        {all, time.Minute + time.Millisecond, anew},
		"the clock of SQS is behind":      {all, -time.Hour, all},
		"a replay of an older version":    {old, 0, oldRead},
		"nothing":                         {Carried{}, 0, Carried{}},
		"an id that is none":              {Carried{ID: "no id", Origin: "no id", Claim: "no id", Retry: "seed"}, 0, Carried{Retry: "seed"}},
		"more base than attempts": {Carried{Attempts: 2, Base: 5, Released: released}, 0,
			Carried{Attempts: 2, Base: 2, Released: released}},
	} {
		if diff := cmp.Diff(c.want, carried(c.wrote.Attributes(), released.Add(c.after))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCarriedByAnybody: what can't be meant is left out.
func TestCarriedByAnybody(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	got := carried(map[string]string{
		CarriedAttempts: "10000", CarriedBase: "1e9", CarriedFirst: "yesterday", CarriedReleased: sent.Format(time.RFC3339),
		CarriedHeld: "trouble=x,=5,retry after=3,delay=-1,limit=99999999999,trouble=7,",
	}, sent)
	if diff := cmp.Diff(Carried{Released: sent, Held: Held{"trouble": 7 * time.Second}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, want := range map[string]int{"-3": 0, "3.5": 0, "9999": 9999, "10000": 0} {
		if got := carried(map[string]string{CarriedAttempts: text, CarriedReleased: sent.Format(time.RFC3339)}, sent); got.Attempts != want {
			t.Errorf("%s attempts: %+v", text, got)
		}
	}
}

// TestHeldWith: what was held before stays as it is.
func TestHeldWith(t *testing.T) {
	t.Parallel()
	var none Held
	once := none.With("trouble", time.Minute)
	twice := once.With("trouble", time.Minute).With("limit", time.Second)
	if none != nil || once.String() != "trouble=60" || twice.String() != "limit=1,trouble=120" {
		t.Errorf("%v, %v, %v", none, once, twice)
	}
}

// TestFirstReceived is what is carried, or SQS's, and never in the future.
func TestFirstReceived(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	sqs := map[string]string{"ApproximateFirstReceiveTimestamp": "1795000000000"}
	for name, c := range map[string]struct {
		first      time.Time
		attributes map[string]string
		want       time.Time
	}{
		"carried":              {now.Add(-time.Hour), sqs, now.Add(-time.Hour)},
		"carried from to come": {now.Add(time.Hour), sqs, now},
		"by SQS":               {time.Time{}, sqs, time.UnixMilli(1_795_000_000_000).UTC()},
		"by nobody":            {time.Time{}, nil, now},
	} {
		if got := (Carried{First: c.first}).FirstReceived(c.attributes, now); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestAnew: what came out of the waiting room was not sent by anybody.
func TestAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		carried Carried
		want    bool
	}{
		"by its producer": {Carried{}, true},
		"replayed":        {Carried{Attempts: 3, Base: 3, Retry: "replay"}, true},
		"after a try":     {Carried{Attempts: 4, Base: 3}, false},
		"after a hold":    {Carried{Attempts: 3, Base: 3, Held: Held{"trouble": time.Minute}}, false},
	} {
		if got := c.carried.Anew(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
