package awssecrets

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/webhook"
)

const day = 24 * time.Hour

// made is a version that was made at an instant.
func made(created time.Time, value string) *secretsmanager.GetSecretValueOutput {
	out := text(created.String(), value)
	out.CreatedDate = &created
	return out
}

// history is a JSON secret whose key a has a history that ends at an instant.
func history(until time.Time) string {
	return `{"a":{"current":"new","previous":"old","until":"` + until.Format(time.RFC3339Nano) + `"}}`
}

// TestGrace reads a secret once, and asks at the edges of the grace what signs.
func TestGrace(t *testing.T) {
	t.Parallel()
	rotated := made(at.Add(-day/2), "new")
	old := made(at.Add(-9*day), "old")
	byHand := made(at, `{"a":"new"}`)
	type table map[string]struct {
		current, previous *secretsmanager.GetSecretValueOutput
		lost              error
		key               string
		grace             time.Duration
		ends              time.Duration // from at: both sign before that; 0: new signs alone
		reads             int
	}
	for label, c := range (table{
		"within the grace":             {rotated, old, nil, "", day, day / 2, 2},
		"at its last instant":          {made(at.Add(-day+1), "new"), old, nil, "", day, 1, 2},
		"at its end":                   {made(at.Add(-day), "new"), old, nil, "", day, 0, 1},
		"no grace":                     {rotated, old, nil, "", 0, 0, 1},
		"no grace, and a clock behind": {made(at.Add(1), "new"), old, nil, "", 0, 0, 1},
		"the longest grace":            {made(at.Add(-6*day), "new"), old, nil, "", 7 * day, day, 2},
		"the first version":            {rotated, nil, nil, "", day, 0, 2},
		"previous is no key":           {rotated, made(at, `{"a":"old"}`), nil, "", day, 0, 2},
		"previous is binary":           {rotated, &secretsmanager.GetSecretValueOutput{SecretBinary: []byte("old")}, nil, "", day, 0, 2},
		"previous is denied":           {rotated, nil, errDenied, "", day, 0, 2},
		"previous is the same":         {rotated, made(at, "new"), nil, "", day, 0, 2},

		"a history":                       {made(at.Add(-9*day), history(at.Add(day))), nil, nil, "#a", day, day, 1},
		"a history beyond the grace":      {made(at, history(at.Add(3*day))), nil, nil, "#a", 0, 3 * day, 1},
		"a history in another zone":       {made(at, history(at.Add(day).In(time.FixedZone("", 7200)))), nil, nil, "#a", 0, day, 1},
		"a history that ends now":         {made(at.Add(-9*day), history(at)), nil, nil, "#a", day, 0, 1},
		"a history, whatever was before":  {made(at, `{"a":{"current":"new"}}`), made(at, `{"a":"old"}`), nil, "#a", day, 0, 2},
		"a key that was put by hand":      {byHand, made(at, `{"a":"old"}`), nil, "#a", day, day, 2},
		"put by hand over a history":      {byHand, made(at, `{"a":{"current":"old"}}`), nil, "#a", day, day, 2},
		"put by hand, and the same":       {byHand, made(at, `{"a":"new"}`), nil, "#a", day, 0, 2},
		"a new key":                       {byHand, made(at, `{"b":"old"}`), nil, "#a", day, 0, 2},
		"a key of what was no JSON":       {byHand, old, nil, "#a", day, 0, 2},
		"a key, and previous is denied":   {byHand, nil, errDenied, "#a", day, 0, 2},
		"a key whose history was no good": {byHand, made(at, `{"a":{"current":1}}`), nil, "#a", day, 0, 2},
	}) {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			m := &manager{out: c.current, previous: c.previous, lost: c.lost}
			s := &Signing{API: m, Grace: c.grace, TTL: 30 * day, Now: func() time.Time { return at }}
			keys, err := s.Keys(t.Context(), name+c.key, time.Time{})
			if err != nil || m.calls != c.reads {
				t.Fatalf("got %v after %d reads, want %d", err, m.calls, c.reads)
			}
			if c.ends > 0 && !signs(keys, at.Add(c.ends-1), "new", "old") || !signs(keys, at.Add(c.ends), "new") {
				t.Errorf("got %d keys until %v, want both until %v", len(keys.Secrets), keys.Until, at.Add(c.ends))
			}
		})
	}
}

// TestRotation plays a rotation, by the minute: what signs, and how often it is
// read for that.
func TestRotation(t *testing.T) {
	t.Parallel()
	minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
	first := &manager{out: made(minute(-9999), "a")}
	second := &manager{out: made(minute(2), "b"), previous: first.out}
	third := &manager{out: made(minute(20), "c"), previous: second.out}
	hidden := func(m *manager) *manager { return &manager{out: m.out, lost: errDenied} }
	type step struct {
		minute int
		now    *manager // what Secrets Manager answers from now on
		refuse bool     // what is read from now on is wanted
		want   string
		reads  int // in all
	}
	for label, steps := range map[string][]step{
		"seen after the TTL": {
			{0, first, false, "a", 1}, {4, second, false, "a", 1}, {5, nil, false, "b a", 3}, {10, nil, false, "b a", 5},
			{61, nil, false, "b a", 7}, {62, nil, false, "b", 7}, {66, nil, false, "b", 8}, // the grace is an hour
		},
		"seen after a refusal": {{0, first, false, "a", 1}, {3, second, true, "b a", 3}, {3, nil, true, "b a", 3}},
		"again within the grace": {
			{3, second, false, "b a", 2}, {21, third, false, "c b", 4}, {79, nil, false, "c b", 6}, {80, nil, false, "c", 6},
		},
		"back again": {{3, second, false, "b a", 2}, {8, &manager{out: first.out, previous: second.out}, false, "a", 3}},
		"the one before can't be read, and is known": {
			{0, first, false, "a", 1}, {5, hidden(second), false, "b a", 3}, {6, nil, false, "b a", 5}, {7, second, false, "b a", 7},
		},
		"the one before can't be read, and is not known": {
			{3, hidden(second), false, "b", 2}, {3, nil, true, "b", 2}, {4, second, false, "b a", 4}, {8, nil, false, "b a", 4},
		},
		"a first version": {{3, &manager{out: made(at, "a")}, false, "a", 2}, {7, nil, false, "a", 2}, {8, nil, false, "a", 4}},
		"nothing can be read": {
			{3, second, false, "b a", 2}, {10, &manager{err: errDenied}, false, "b a", 3}, {61, nil, false, "b a", 4}, {62, nil, false, "b", 5},
		},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			now, m := at, &manager{}
			s := &Signing{API: m, Grace: time.Hour, Now: func() time.Time { return now }}
			for i, x := range steps {
				now = minute(x.minute)
				if x.now != nil {
					m.out, m.err, m.previous, m.lost = x.now.out, x.now.err, x.now.previous, x.now.lost
				}
				var since time.Time
				if x.refuse {
					since = now
				}
				keys, err := s.Keys(t.Context(), name, since)
				if err != nil || m.calls != x.reads || !signs(keys, now, strings.Fields(x.want)...) {
					t.Fatalf("step %d: got %d of %d keys, %v after %d reads; want %q after %d",
						i, len(keys.At(now)), len(keys.Secrets), err, m.calls, x.want, x.reads)
				}
			}
		})
	}
}

// TestARefusalFindsTheNewKey: a receiver that has the new key alone refuses what
// the cached one signs. Half a minute after that was read, the next try is signed
// by the new one.
func TestARefusalFindsTheNewKey(t *testing.T) {
	t.Parallel()
	const rotated = `{"a":{"current":"new","previous":"old","until":"2030-01-01T00:00:00Z"}}`
	for label, c := range map[string]struct {
		key, before, after string
		grace              time.Duration
	}{
		"a whole secret":              {"", "old", "new", day},
		"a whole secret, no grace":    {"", "old", "new", 0},
		"a key":                       {"#a", `{"a":"old"}`, rotated, day},
		"a key, no grace":             {"#a", `{"a":"old"}`, `{"a":{"current":"new"}}`, day},
		"a key by hand":               {"#a", `{"a":"old"}`, `{"a":"new"}`, day},
		"a key that was rotated once": {"#a", `{"a":{"current":"old","previous":"older","until":"2030-01-01T00:00:00Z"}}`, rotated, day},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			now, m := at, &manager{out: made(at.Add(-9*day), c.before)}
			s := &Signing{API: m, Grace: c.grace, Now: func() time.Time { return now }}
			cached, err := s.Keys(t.Context(), name+c.key, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			now = at.Add(quiet)
			m.previous, m.out = m.out, made(at.Add(time.Second), c.after)
			newer, err := s.Keys(t.Context(), name+c.key, now)
			if err != nil || !newer.Adds(now, cached.At(now)) || !signs(webhook.Keys{Secrets: newer.Secrets[:1]}, now, "new") {
				t.Errorf("got %d keys, %v", len(newer.Secrets), err)
			}
		})
	}
}

// TestThePreviousHoldsUpNobody: the current key signs a second later although
// the one before does not come.
func TestThePreviousHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &manager{out: made(time.Now(), "new"), hangs: stagePrevious, release: make(chan struct{})}
		s := &Signing{API: m, Grace: day, Now: time.Now}
		start := time.Now()
		keys, err := s.Keys(t.Context(), name, time.Time{})
		if err != nil || !signs(keys, start, "new") || time.Since(start) != patience {
			t.Errorf("got %+v, %v after %v", keys, err, time.Since(start))
		}
	})
}

// TestWhatIsPreparedIsKept: a new version with the same key makes nothing anew.
func TestWhatIsPreparedIsKept(t *testing.T) {
	t.Parallel()
	now, m := at, new(manager)
	s := &Signing{API: m, Grace: day, Now: func() time.Time { return now }}
	var kept webhook.Secret
	for i, value := range []string{`{"a":"s","b":"t"}`, `{"a":"s","b":"u"}`} {
		now = at.Add(time.Duration(i) * time.Hour)
		m.out = made(now.Add(-8*day), value)
		keys, err := s.Keys(t.Context(), name+"#a", time.Time{})
		if err != nil || i > 0 && keys.Secrets[0] != kept {
			t.Fatalf("look %d: made anew, or %v", i, err)
		}
		kept = keys.Secrets[0]
	}
}

// TestDeletedMeanwhile: a secret may go between the two reads of a look-up.
func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	m := &manager{out: made(at, "new"), lost: &types.InvalidRequestException{}}
	s := &Signing{API: m, Grace: day, Now: func() time.Time { return at }}
	if keys, err := s.Keys(t.Context(), name, time.Time{}); err != nil || !signs(keys, at, "new") {
		t.Errorf("got %+v, %v", keys, err)
	}
}
