package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

// Claims is what a store of claims promises, and that it can be read.
type Claims interface {
	claim.Store
	ClaimsOn(ctx context.Context, queue string, itemIDs []string) ([]claim.Claim, error)
}

// TestClaims runs the suite. The store may be shared by all of its tests.
func TestClaims(t *testing.T, store Claims) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Claims){
		"the first one has it":          claimsFirst,
		"one of many at once":           claimsAtOnce,
		"the same one twice":            claimsTwice,
		"a lapsed one is taken over":    claimsLapsed,
		"a settled one never lapses":    claimsSettled,
		"only its own can be dropped":   claimsDrop,
		"queues apart":                  claimsQueues,
		"those on some items, and more": claimsOn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

func claimOn(item string) claim.Claim {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return claim.Claim{
		Queue: "webhook-failures", ItemID: item, Act: deadletter.Replay, Actor: "ann", Token: uuid.NewString(), At: now,
		Until: now.Add(time.Minute),
	}
}

func take(t *testing.T, s Claims, c claim.Claim) {
	t.Helper()
	if other, err := s.TakeClaim(t.Context(), c); err != nil {
		t.Fatalf("not taken: %v; it is %+v", err, other)
	}
	wantClaim(t, s, c)
}

func refused(t *testing.T, s Claims, c, by claim.Claim) {
	t.Helper()
	other, err := s.TakeClaim(t.Context(), c)
	if !errors.Is(err, claim.ErrTaken) || !cmp.Equal(other, by) {
		t.Errorf("got %v, by %+v; want it refused by %+v", err, other, by)
	}
	wantClaim(t, s, by)
}

func wantClaim(t *testing.T, s Claims, want ...claim.Claim) {
	t.Helper()
	got, err := s.ClaimsOn(t.Context(), want[0].Queue, []string{want[0].ItemID})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func drop(t *testing.T, s Claims, c claim.Claim) {
	t.Helper()
	if err := s.DropClaim(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func put1(t *testing.T, s Claims, c claim.Claim) {
	t.Helper()
	if err := s.PutClaim(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantClaim(t, s, c)
}

func claimsFirst(t *testing.T, s Claims) {
	item := uuid.NewString()
	first := claimOn(item)
	take(t, s, first)
	refused(t, s, claimOn(item), first)
}

func claimsAtOnce(t *testing.T, s Claims) {
	item := uuid.NewString()
	var winners, told [16]claim.Claim
	var all sync.WaitGroup
	for i := range winners {
		all.Go(func() {
			c := claimOn(item)
			switch other, err := s.TakeClaim(t.Context(), c); {
			case err == nil:
				winners[i] = c
			case errors.Is(err, claim.ErrTaken):
				told[i] = other
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	lost := func(c claim.Claim) bool { return c.Token == "" }
	won := slices.DeleteFunc(winners[:], lost)
	if len(won) != 1 {
		t.Fatalf("%d of 16 have it", len(won))
	}
	wantClaim(t, s, won[0])
	if others := slices.DeleteFunc(told[:], lost); len(others) != 15 ||
		slices.ContainsFunc(others, func(c claim.Claim) bool { return !cmp.Equal(c, won[0]) }) {
		t.Errorf("the others were told of %+v; the one who has it is %+v", others, won[0])
	}
}

func claimsTwice(t *testing.T, s Claims) {
	c := claimOn(uuid.NewString())
	take(t, s, c)
	take(t, s, c)
}

func claimsLapsed(t *testing.T, s Claims) {
	old := claimOn(uuid.NewString())
	take(t, s, old)
	early, late := claimOn(old.ItemID), claimOn(old.ItemID)
	early.At, late.At = old.Until.Add(-time.Microsecond), old.Until
	refused(t, s, early, old)
	take(t, s, late)
}

func claimsSettled(t *testing.T, s Claims) {
	c := claimOn(uuid.NewString())
	take(t, s, c)
	c.Settled = true
	put1(t, s, c)
	late := claimOn(c.ItemID)
	late.At = c.Until.Add(time.Hour)
	refused(t, s, late, c)
	// A copy of the request that took it may arrive late: it must not undo what
	// was settled since.
	taken := c
	taken.Settled = false
	refused(t, s, taken, c)
	drop(t, s, c)
	wantClaim(t, s, c)
	c.Settled = false
	put1(t, s, c)
	take(t, s, late)
}

func claimsDrop(t *testing.T, s Claims) {
	c := claimOn(uuid.NewString())
	drop(t, s, c) // there is none
	take(t, s, c)
	drop(t, s, claimOn(c.ItemID))
	wantClaim(t, s, c)
	drop(t, s, c)
	take(t, s, claimOn(c.ItemID))
}

func claimsQueues(t *testing.T, s Claims) {
	a := claimOn(uuid.NewString())
	b := claimOn(a.ItemID)
	b.Queue = "notification-failures"
	take(t, s, a)
	take(t, s, b)
	wantClaim(t, s, a)
}

func claimsOn(t *testing.T, s Claims) {
	var kept []claim.Claim
	var ids, unknown []string
	for range 100 {
		c := claimOn(uuid.NewString())
		take(t, s, c)
		kept, ids, unknown = append(kept, c), append(ids, c.ItemID), append(unknown, uuid.NewString())
	}
	for name, c := range map[string]struct {
		asked []string
		want  []claim.Claim
	}{
		"none":               {nil, nil},
		"an unknown one":     {unknown[:1], nil},
		"some":               {slices.Concat(unknown[:50], ids[:50]), kept[:50]},
		"a hundred":          {ids, kept},
		"one that came back": {[]string{ids[0], ids[1], ids[0]}, kept[:2]},
	} {
		got, err := s.ClaimsOn(t.Context(), "webhook-failures", c.asked)
		slices.SortFunc(got, func(a, b claim.Claim) int { return slices.Index(ids, a.ItemID) - slices.Index(ids, b.ItemID) })
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
