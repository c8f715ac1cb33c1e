package life

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/efferent/efferent/internal/circuit"
)

// script is what an endpoint answers by chance. It ends with what does not go on
// for days.
func script(t *rapid.T) []answer {
	answers := rapid.SliceOfN(rapid.SampledFrom([]answer{ok, busy, busy, busy, gone, {lost: true}, {hang: true}, {ours: true},
		{status: 503, retryAfter: time.Minute}, {status: 429, retryAfter: 10 * time.Minute}}), 0, 12).Draw(t, "answers")
	return append(answers, rapid.SampledFrom([]answer{ok, busy, gone}).Draw(t, "last answer"))
}

// people are what people do.
var people = map[string]func(*world){
	"replay": replayOne, "redrive": redrive, "replay all": replayAll, "list": func(w *world) { list(w) }, "let go": letGo,
	"nothing": func(*world) {}, "late copies": copies,
}

// drawn is a life by chance.
func drawn(t *rapid.T) *life {
	l := &life{settings: settingsOf{policies: "slow=3m,5m,1s;mixed=1s,4m,1s,1s,1s,1s,6m"}}
	l.settings.maxReceives = rapid.SampledFrom([]int{6, 2, 3, 20}).Draw(t, "maxReceiveCount")
	l.retry = rapid.SampledFrom([]string{"", "slow", "mixed", "replay"}).Draw(t, "policy")
	l.answers = script(t)
	for range rapid.IntRange(0, 2).Draw(t, "messages beside") {
		l.beside = append(l.beside, script(t))
	}
	if l.settings.maxReceives >= 6 && rapid.IntRange(0, 3).Draw(t, "away") == 0 {
		l.away = []string{rapid.SampledFrom([]string{"read secret", "audit", "deliver: put", "enter", "read history", "release:", "hide",
			"release: send", "settle sent"}).Draw(t, "what is away")}
		l.awayFor = time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes away")) * time.Minute
	}
	l.meanwhile = people[rapid.SampledFrom([]string{"nothing", "let go"}).Draw(t, "meanwhile")]
	acts := rapid.SampledFrom([]string{"list", "redrive", "replay", "replay all", "late copies"})
	for _, name := range rapid.SliceOfN(acts, 0, 3).Draw(t, "acts") {
		l.acts = append(l.acts, people[name])
		// A copy of what is gone may be tried, and die, without being in any queue.
		l.loose = l.loose || name == "late copies"
	}
	return l
}

// drawnGuarded is a life by chance in which circuits may open.
func drawnGuarded(t *rapid.T) *life {
	l := &life{settings: settingsOf{policies: many.policies}, retry: "many"}
	l.settings.limits = rapid.SampledFrom([]circuit.Limits{{}, {Threshold: 2}, byRate.limits}).Draw(t, "limits")
	l.settings.mostHeld = rapid.SampledFrom([]time.Duration{6 * time.Hour, 3 * time.Minute}).Draw(t, "held at most")
	answers := rapid.SampledFrom([]answer{ok, busy, busy, busy, refused, refused, gone, {status: 410}, {lost: true}, {ours: true},
		{status: 503, retryAfter: time.Minute}, {status: 429, retryAfter: 10 * time.Minute}})
	script := func() []answer {
		last := rapid.SampledFrom([]answer{ok, ok, busy, refused})
		return append(rapid.SliceOfN(answers, 0, 12).Draw(t, "answers"), last.Draw(t, "last answer"))
	}
	l.answers, l.more = script(), rapid.IntRange(0, 6).Draw(t, "more messages")
	for range rapid.IntRange(0, 2).Draw(t, "messages beside") {
		l.beside = append(l.beside, script())
	}
	if rapid.IntRange(0, 3).Draw(t, "away") == 0 {
		what := rapid.SampledFrom([]string{"circuit", "read circuits", "put circuit", "leased", "enter", "release:"})
		l.away = []string{what.Draw(t, "what is away")}
		l.awayFor = time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes away")) * time.Minute
	}
	l.meanwhile = map[string]func(*world){"nothing": nil, "close": closeByHand, "let go": letGo}[rapid.SampledFrom([]string{
		"nothing", "nothing", "close", "let go"}).Draw(t, "meanwhile")]
	if rapid.IntRange(0, 3).Draw(t, "opened before") == 0 {
		l.before, l.meanwhile = openByHand, closeByHand // else it takes 14 days, after which the dead letters are gone too
	}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"redrive", "late copies"}), 0, 2).Draw(t, "acts") {
		l.acts = append(l.acts, closeByHand, people[name])
		l.loose = l.loose || name == "late copies"
	}
	return l
}

// TestRandom: whatever happens, with up to two faults, nothing is lost, nothing is
// tried without end, and the listing is right.
func TestRandom(t *testing.T) {
	t.Parallel()
	random(t, drawn)
}

// TestRandomCircuits is TestRandom where circuits open and close.
func TestRandomCircuits(t *testing.T) {
	t.Parallel()
	random(t, drawnGuarded)
}

func random(t *testing.T, draw func(*rapid.T) *life) {
	rapid.Check(t, func(t *rapid.T) {
		l := draw(t)
		w, _ := l.live(t, nil)
		w.accounted(t, l, 0)
		if rapid.IntRange(0, 3).Draw(t, "twin") == 0 {
			// What reads a secret is waited for by the others that want it.
			l.at, l.do, l.loose = one(t, w, "twin at", "check:", "read secret"), (*world).twin, true
		}
		chosen := map[site]fault{}
		for range rapid.IntRange(0, 2).Draw(t, "faults") {
			s := one(t, w, "fault at", "check:")
			chosen[s] = rapid.SampledFrom(faults).Draw(t, s.String())
			w, _ = l.live(t, chosen)
			w.accounted(t, l, len(chosen))
		}
	})
}

// one draws a call that a life made, of none of these names.
func one(t *rapid.T, w *world, label string, but ...string) site {
	made := slices.DeleteFunc(slices.Clone(w.calls.sites), func(s site) bool {
		return slices.ContainsFunc(but, func(name string) bool { return strings.Contains(s.what, name) })
	})
	return made[rapid.IntRange(0, len(made)-1).Draw(t, label)]
}

// accounted checks that each message is taken, or dead, and not more often than a
// number of troubles can make of it.
func (w *world) accounted(t tester, l *life, troubles int) {
	twins := len(l.away)
	if l.do != nil {
		twins++
	}
	most := (1 + twins) << troubles // a request that sends some, and is repeated, doubles them
	for _, id := range w.lost() {
		t.Errorf("%s is lost", id)
	}
	for id, letters := range w.dead {
		if letters > most {
			t.Errorf("of %s there are %d dead letters after %d faults", id, letters, troubles)
		}
	}
	w.report(t)
}
