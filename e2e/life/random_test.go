package life

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is a life by chance.
func drawn(t *rapid.T) *life {
	l := &life{settings: settingsOf{policies: "slow=3m,5m,1s;mixed=1s,4m,1s,1s,1s,1s,6m"}}
	l.retry = rapid.SampledFrom([]string{"", "slow", "mixed", "replay"}).Draw(t, "policy")
	l.answers = rapid.SliceOfN(rapid.SampledFrom([]answer{ok, busy, busy, busy, gone, {lost: true}, {hang: true}, {ours: true},
		{status: 503, retryAfter: time.Minute}, {status: 429, retryAfter: 10 * time.Minute}}), 1, 12).Draw(t, "answers")
	if last := l.answers[len(l.answers)-1]; last.lost || last.hang || last.ours || last.retryAfter > 0 {
		l.answers = append(l.answers, ok) // or it would go on for days
	}
	if rapid.IntRange(0, 3).Draw(t, "away") == 0 {
		l.away = []string{rapid.SampledFrom([]string{"read secret", "audit", "deliver: put", "enter", "read history", "release:", "send"}).
			Draw(t, "what is away")}
		l.awayFor = time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes away")) * time.Minute
	}
	acts := map[string]func(*world){"replay": replayOne, "redrive": redrive, "replay all": replayAll, "list": func(w *world) { list(w) }}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"list", "redrive", "replay", "replay all"}), 0, 3).Draw(t, "acts") {
		l.acts = append(l.acts, acts[name])
	}
	return l
}

// TestRandom: whatever happens, with up to two faults, nothing is lost, nothing is
// tried without end, and the listing is right.
func TestRandom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawn(t)
		w, quiet := l.live(t, nil)
		w.report(t)
		chosen := map[site]fault{}
		for range rapid.IntRange(0, 2).Draw(t, "faults") {
			ours := slices.DeleteFunc(slices.Clone(w.calls.sites), func(s site) bool {
				return strings.HasPrefix(s.what, "check:") || chosen[s] != works
			})
			s := ours[rapid.IntRange(0, len(ours)-1).Draw(t, "site")]
			chosen[s] = rapid.SampledFrom(faults).Draw(t, s.String())
			var got ending
			w, got = l.live(t, chosen)
			if got.taken+got.letters == 0 {
				t.Errorf("the message is lost: it ends with %s, without a fault with %s", got, quiet)
			}
			if most := 1 + len(chosen); got.letters > most {
				t.Errorf("%d faults make %d dead letters of one message", len(chosen), got.letters)
			}
			w.report(t)
		}
	})
}
