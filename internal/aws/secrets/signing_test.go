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
	for label, c := range map[string]struct {
		current, previous *secretsmanager.GetSecretValueOutput
		lost              error
		key               string
		grace             time.Duration
		ends              time.Duration // from at, when both signed until then; 0: new signs alone
		reads             int
	}{
		"within the grace":             {current: rotated, previous: old, grace: day, ends: day / 2, reads: 2},
		"at its last instant":          {current: made(at.Add(-day+1), "new"), previous: old, grace: day, ends: 1, reads: 2},
		"at its end":                   {current: made(at.Add(-day), "new"), previous: old, grace: day, reads: 1},
		"no grace":                     {current: rotated, previous: old, reads: 1},
		"no grace, and a clock behind": {current: made(at.Add(1), "new"), previous: old, reads: 1},
		"the longest grace":            {current: made(at.Add(-6*day), "new"), previous: old, grace: 7 * day, ends: day, reads: 2},
		"the first version":            {current: rotated, grace: day, reads: 2},
		"previous is no key":           {current: rotated, previous: made(at, `{"a":"old"}`), grace: day, reads: 2},
		"previous is binary":           {current: rotated, previous: &secretsmanager.GetSecretValueOutput{SecretBinary: []byte("old")}, grace: day, reads: 2},
		"previous is denied":           {current: rotated, lost: errDenied, grace: day, reads: 2},
		"previous is the same":         {current: rotated, previous: made(at, "new"), grace: day, reads: 2},

		"a history":                       {current: made(at.Add(-9*day), history(at.Add(day))), key: "#a", grace: day, ends: day, reads: 1},
		"a history beyond the grace":      {current: made(at, history(at.Add(3*day))), key: "#a", ends: 3 * day, reads: 1},
		"a history in another zone":       {current: made(at, history(at.Add(day).In(time.FixedZone("", 7200)))), key: "#a", ends: day, reads: 1},
		"a history that ends now":         {current: made(at.Add(-9*day), history(at)), key: "#a", grace: day, reads: 1},
		"a history, whatever was before":  {current: made(at, `{"a":{"current":"new"}}`), previous: made(at, `{"a":"old"}`), key: "#a", grace: day, reads: 2},
		"a key that was put by hand":      {current: made(at, `{"a":"new"}`), previous: made(at, `{"a":"old"}`), key: "#a", grace: day, ends: day, reads: 2},
		"put by hand over a history":      {current: made(at, `{"a":"new"}`), previous: made(at, strings.Replace(history(at.Add(day)), "new", "old", 1)), key: "#a", grace: day, ends: day, reads: 2},
		"put by hand, and the same":       {current: made(at, `{"a":"new"}`), previous: made(at, `{"a":"new"}`), key: "#a", grace: day, reads: 2},
		"a new key":                       {current: made(at, `{"a":"new"}`), previous: made(at, `{"b":"old"}`), key: "#a", grace: day, reads: 2},
		"a key of what was no JSON":       {current: made(at, `{"a":"new"}`), previous: old, key: "#a", grace: day, reads: 2},
		"a key, and previous is denied":   {current: made(at, `{"a":"new"}`), lost: errDenied, key: "#a", grace: day, reads: 2},
		"a key whose history was no good": {current: made(at, `{"a":"new"}`), previous: made(at, `{"a":{"current":1}}`), key: "#a", grace: day, reads: 2},
	} {
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
