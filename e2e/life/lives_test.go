package life

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	ok   = answer{status: 200}
	busy = answer{status: 503}
	gone = answer{status: 404}
)

// slow waits in the room, many has more attempts than a message has receives.
var (
	slow = settingsOf{policies: "slow=3m,5m,1s"}
	hour = settingsOf{policies: "hour=1h,1s"}
	many = settingsOf{policies: "many=1s,1s,1s,1s,1s,1s,1s,1s"}
)

// large makes a message of 1 MiB - 100 B.
var large = `"` + strings.Repeat("x", 1<<20-100-len(message{id: "evt_1", url: someURL, retry: "hour", body: `""`}.text())) + `"`

// life is what happens to one message.
type life struct {
	name     string
	settings settingsOf
	retry    string // the policy that the message names
	answers  []answer
	// away is what fails for the first while, and for how long.
	away    []string
	awayFor time.Duration
	body    string
	// at is the call in the middle of which something else is done.
	at site
	do func(*world)
	// loose: the listing is not looked at. Where SQS hands out a message twice at
	// once, and the two end differently, it can be one too short.
	loose bool
	// more are further messages to the same endpoint, each handled before the next
	// one is sent.
	more int
	// beside are the answers to further messages, each to an endpoint of its own.
	beside [][]answer
	// before is what people do before the message is sent, meanwhile what they do
	// after two minutes, and acts what they do when all is at rest, one after the other.
	before, meanwhile func(*world)
	acts              []func(*world)
	// again is how many POSTs a twin of the message may make, untold how many more
	// there may be where a circuit is told of one too late, or not at all.
	again, untold int
	// late is how many more there may be where an older message comes into the room
	// after a younger one, and is seen there later (waiting.Exit.Oldest).
	late int
	// want is how it ends where nothing goes wrong.
	want ending
}

var lives = []life{
	{name: "delivered", answers: []answer{ok}, want: ending{1, 1, 0}},
	{name: "retried, then delivered", answers: []answer{busy, busy, ok}, want: ending{3, 1, 0}},
	{name: "refused", answers: []answer{gone}, want: ending{1, 0, 1}},
	{name: "exhausted", answers: []answer{busy}, want: ending{4, 0, 1}},
	{name: "a kept connection was lost", answers: []answer{{lost: true}, ok}, want: ending{2, 1, 0}},
	{name: "replayed, then delivered", answers: []answer{gone, busy, ok}, acts: []func(*world){replayOne}, again: 6, want: ending{3, 1, 0}},
	{name: "replayed, and dead again", answers: []answer{gone}, acts: []func(*world){replayOne}, again: 6, want: ending{2, 0, 1}},
	{name: "redriven, then delivered", answers: []answer{busy, busy, busy, busy, ok}, acts: []func(*world){redrive}, want: ending{5, 1, 0}},
	{name: "redriven by the API, and dead again", answers: []answer{gone}, acts: []func(*world){replayAll}, want: ending{2, 0, 1}},
	{name: "through the room", settings: slow, retry: "slow", answers: []answer{busy, ok}, again: 3, want: ending{2, 1, 0}},
	{name: "through the room, and exhausted", settings: slow, retry: "slow", answers: []answer{busy}, again: 3, want: ending{4, 0, 1}},
	{name: "redriven after its last attempt came out of the room", settings: slow, retry: "slow", answers: []answer{busy},
		acts: []func(*world){redrive}, again: 7, want: ending{8, 0, 1}},
	{name: "let go by hand", settings: hour, retry: "hour", answers: []answer{busy, ok}, meanwhile: letGo, again: 3, want: ending{2, 1, 0}},
	{name: "dropped by hand", settings: hour, retry: "hour", answers: []answer{busy}, meanwhile: drop, again: 2, want: ending{1, 0, 0}},
	{name: "replayed after its last attempt came out of the room", settings: slow, retry: "slow", answers: []answer{busy},
		acts: []func(*world){replayOne}, again: 9, want: ending{10, 0, 1}},
	{name: "replayed, and then redriven", settings: slow, retry: "slow", answers: []answer{busy},
		acts: []func(*world){replayOne, redrive}, again: 14, want: ending{14, 0, 1}},
	{name: "more attempts than receives", settings: many, retry: "many", answers: []answer{busy}, again: 8, want: ending{9, 0, 1}},
	{name: "held, no secret can be read", away: []string{"read secret"}, awayFor: 4 * time.Minute, answers: []answer{busy, ok}, again: 4,
		want: ending{2, 1, 0}},
	{name: "held in the room, and then exhausted", away: []string{"read secret"}, awayFor: 8 * time.Minute, answers: []answer{busy}, again: 4,
		want: ending{4, 0, 1}},
	{name: "held, the ledger can't be told", away: []string{"audit"}, awayFor: 4 * time.Minute, answers: []answer{busy, ok}, again: 4,
		want: ending{2, 1, 0}},
	{name: "held, the table is away", away: []string{"put", "read history", "enter"}, awayFor: 4 * time.Minute, answers: []answer{busy, ok},
		again: 4, want: ending{2, 1, 0}},
	{name: "held, its exchange was cut", answers: []answer{{hang: true}, ok}, want: ending{2, 1, 0}},
	{name: "held, no descriptor was left", answers: []answer{{ours: true}, ok}, want: ending{2, 1, 0}},
	{name: "too large for the room", settings: hour, retry: "hour", answers: []answer{busy, ok}, body: large, want: ending{2, 1, 0}},
	{name: "twice at once, while it is sent", at: site{"deliver: post", 1}, do: (*world).twin, answers: []answer{ok}, want: ending{2, 2, 0}},
	{name: "twice at once, while it is recorded", at: site{"deliver: put 1 delivered", 1}, do: (*world).twin, answers: []answer{ok},
		want: ending{2, 2, 0}},
	{name: "twice at once, while its failure is recorded", at: site{"deliver: put 1 retryable", 1}, do: (*world).twin,
		answers: []answer{busy, busy, ok},
		again:   4, want: ending{3, 1, 0}},
	{name: "twice at once, and delivered the second time", at: site{"deliver: put 1 retryable", 1}, do: (*world).twin,
		answers: []answer{busy, ok},
		again:   4, want: ending{2, 1, 0}},
	{name: "twice at once, while it goes to the room", settings: slow, retry: "slow", at: site{"deliver: put 1 retryable waiting", 1},
		do:      (*world).twin,
		answers: []answer{busy, busy, ok}, again: 4, want: ending{4, 2, 0}},
	{name: "twice at once, while it dies", at: site{"deliver: put 1 permanent", 1}, do: (*world).twin, answers: []answer{gone}, again: 1,
		want: ending{2, 0, 1}},
	{name: "two releases at once, before the one sends", settings: slow, retry: "slow", at: site{"release: send webhooks", 1},
		do: (*world).otherRelease, answers: []answer{busy, ok}, again: 4, want: ending{2, 1, 0}},
	{name: "two releases at once, before the one marks", settings: slow, retry: "slow", at: site{"release: settle sent", 1},
		do: (*world).otherRelease, answers: []answer{busy, ok}, again: 4, want: ending{2, 1, 0}},
	{name: "two releases at once, before the one reads", settings: slow, retry: "slow", at: site{"release: read place", 1},
		do: (*world).otherRelease, answers: []answer{busy, ok}, again: 4, want: ending{2, 1, 0}},
	{name: "delivered, and handed out again", answers: []answer{busy, ok}, acts: []func(*world){copies}, want: ending{2, 1, 0}},
	{name: "dead, and handed out again", answers: []answer{busy}, acts: []func(*world){copies}, want: ending{4, 0, 1}},
	{name: "through the room, and handed out again", settings: slow, retry: "slow", answers: []answer{busy, ok},
		acts: []func(*world){copies}, again: 3, want: ending{2, 1, 0}},
	{name: "discarded", answers: []answer{gone}, acts: []func(*world){discard}, want: ending{1, 0, 0}},
}

// allLives are those in which no circuit opens, and those in which one does.
func allLives() []life {
	all := slices.Clone(lives)
	for n := range all {
		all[n].settings.limits = unguarded
	}
	return append(all, guarded...)
}

// live runs a life in a world of its own, to its end.
func (l *life) live(t tester, faults map[site]fault) (*world, ending) {
	t.Helper()
	w, err := newWorld(l.settings)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.calls.faults, w.many, w.loose = faults, l.loose || len(faults)+len(l.away) > 1, l.loose
	w.internet.endpoints[someURL] = &endpoint{script: l.answers}
	for _, what := range l.away {
		w.calls.outages = append(w.calls.outages, outage{what, morning, morning.Add(l.awayFor)})
	}
	if l.do != nil {
		w.twins, w.calls.during[l.at] = true, func() { l.do(w) }
	}
	if l.before != nil {
		l.before(w)
	}
	w.produce(message{id: "evt_1", url: someURL, retry: l.retry, body: l.body})
	for n := range l.more {
		w.step()
		w.produce(message{id: fmt.Sprint("more_", n+1), url: someURL, retry: l.retry})
	}
	for n, answers := range l.beside {
		url := fmt.Sprint(someURL, "/", n+2)
		w.internet.endpoints[url] = &endpoint{script: answers}
		w.produce(message{id: fmt.Sprint("evt_", n+2), url: url, retry: l.retry})
	}
	if l.meanwhile != nil {
		w.pass(2 * time.Minute)
		l.meanwhile(w)
	}
	w.rest()
	for _, act := range l.acts {
		act(w)
		w.rest()
	}
	return w, w.end()
}

// TestLives: what happens where nothing goes wrong.
func TestLives(t *testing.T) {
	t.Parallel()
	for _, l := range allLives() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			l.settings.sqlite = true
			w, got := l.live(t, nil)
			most := l.want
			most.posts += l.late
			if got != l.want && got != most {
				t.Errorf("it ends with %s, want %s", got, l.want)
			}
			w.told()
			w.report(t)
		})
	}
}
