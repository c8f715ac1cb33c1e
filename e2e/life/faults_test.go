package life

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEveryFault runs every life again, once for each of its calls and each way
// that one can go wrong.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, l := range allLives() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			quiet, _ := l.live(t, nil)
			for n, s := range quiet.calls.sites {
				if strings.HasPrefix(s.what, "check:") {
					continue
				}
				for m, f := range faults {
					if (n+m)%ofFaults != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s: %s", s, f), func(t *testing.T) { l.withFault(t, quiet.calls.sites, s, f) })
				}
			}
		})
	}
}

// withFault checks the life with one fault, where a life without one makes these
// calls.
func (l *life) withFault(t *testing.T, quiet []site, s site, f fault) {
	w, got := l.live(t, map[site]fault{s: f})
	if len(w.calls.hit) != 1 && l.do == nil && l.messages() == 1 { // of several, what is written together is not always the same
		t.Errorf("the fault did not happen")
	}
	most := l.atMost(quiet, s, f)
	switch {
	case got.posts > most.posts || got.taken > most.taken || got.letters > most.letters:
		t.Errorf("it ends with %s; at most are allowed %s", got, most)
	case l.want.taken+l.want.letters > 0 && len(w.lost()) > 0:
		t.Errorf("%q are lost: it ends with %s, want %s", w.lost(), got, l.want)
	case got.letters > 0 && l.want.letters == 0 && !mayKill(s) && !l.missed(s):
		t.Errorf("it ends with %s, want %s", got, l.want)
	}
	if (f == fails || f == failsButHas) && !w.twins { // a crash before the outcome is told leaves an attempt without
		w.told()
	}
	w.report(t)
}

// atMost is how a life with one fault may end at most: what was sent, and the
// record of which is lost, is sent again; and there may be a twin.
func (l *life) atMost(quiet []site, s site, f fault) ending {
	most := l.want
	again := sentUnrecorded(quiet, s)
	if n := l.messages(); n > 1 && strings.HasPrefix(s.what, "deliver:") {
		again = n // they may be in one batch
	}
	most.posts += again + l.untold + l.late
	most.taken += again
	if l.do != nil && l.messages() > 1 { // which of them has the twin is by chance, and when
		most.posts += l.again
		most.taken++
	}
	// Of more than ten some are sent by then, and none is marked.
	some := l.messages() > 10 && f == crash && strings.HasSuffix(s.what, "send webhooks")
	if makesTwin(s, f) || some || l.missed(s) {
		most.posts += l.again
		most.taken += l.messages() + l.at.nth // of which there may be two by then
		most.letters += l.messages()
	}
	return most
}

// messages is how many there are.
func (l *life) messages() int { return 1 + l.more + len(l.beside) }

// missed reports whether a fault may keep a message from the room until after it
// was to be acted on there.
func (l *life) missed(s site) bool { return l.meanwhile != nil && !strings.HasPrefix(s.what, "api:") }

// sentUnrecorded is how many POSTs were made before the end of a call, and not
// recorded before it.
func sentUnrecorded(quiet []site, s site) (n int) {
	for _, c := range slices.Backward(quiet[:slices.Index(quiet, s)+1]) {
		if strings.HasPrefix(c.what, "deliver: put") && c != s {
			break
		}
		if strings.HasPrefix(c.what, "deliver: post") {
			n++
		}
	}
	return n
}

// makesTwin reports whether after a fault a message that was sent anew may be
// sent anew once more: between the sending and the mark that it was sent.
func makesTwin(s site, f fault) bool {
	switch s.what {
	case "api: send webhooks", "release: send webhooks", "other release: send webhooks":
		return f == failsButHas || f == crashAfter
	case "api: settle claim":
		return f == crash
	case "api: delete webhook-failures": // a redrive takes what is left of it
		return f == crash || f == fails
	case "release: settle sent", "other release: settle sent", "api: settle sent":
		return f == crash || f == fails
	}
	return false
}

// mayKill reports whether a fault may use up a message's attempt.
func mayKill(s site) bool { return strings.HasPrefix(s.what, "deliver: post") }
