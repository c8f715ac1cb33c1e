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
	for _, l := range lives {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			quiet, _ := l.live(t, nil)
			for _, s := range quiet.calls.sites {
				if strings.HasPrefix(s.what, "check:") {
					continue
				}
				for _, f := range faults {
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
	if len(w.calls.hit) != 1 {
		t.Errorf("the fault did not happen")
	}
	most := l.atMost(quiet, s, f)
	switch {
	case got.posts > most.posts || got.taken > most.taken || got.letters > most.letters:
		t.Errorf("it ends with %s; at most are allowed %s", got, most)
	case got.taken+got.letters < l.want.taken+l.want.letters:
		t.Errorf("the message is lost: it ends with %s, want %s", got, l.want)
	case got.letters > 0 && l.want.letters == 0 && !mayKill(s):
		t.Errorf("it ends with %s, want %s", got, l.want)
	}
	w.report(t)
}

// atMost is how a life with one fault may end at most: what was sent, and the
// record of which is lost, is sent again; and there may be a twin.
func (l *life) atMost(quiet []site, s site, f fault) ending {
	most := l.want
	if sentUnrecorded(quiet, s) {
		most.posts++
		most.taken++
	}
	if makesTwin(s, f) {
		most.posts += l.again
		most.taken++
		most.letters++
	}
	return most
}

// sentUnrecorded reports whether a call is between a POST and the end of its
// record, those two included.
func sentUnrecorded(quiet []site, s site) bool {
	for _, c := range slices.Backward(quiet[:slices.Index(quiet, s)+1]) {
		switch {
		case strings.HasPrefix(c.what, "deliver: post"):
			return true
		case strings.HasPrefix(c.what, "deliver: put"):
			return c == s
		}
	}
	return false
}

// makesTwin reports whether after a fault a message that was sent anew may be
// sent anew once more: between the sending and the mark that it was sent.
func makesTwin(s site, f fault) bool {
	switch what, _, _ := strings.Cut(s.what, " ("); what {
	case "api: send webhooks", "release: send webhooks":
		return f == failsButHas || f == crashAfter
	case "api: settle claim":
		return f == crash
	case "release: settle sent":
		return f == crash || f == fails
	}
	return false
}

// mayKill reports whether a fault may use up a message's attempt.
func mayKill(s site) bool { return strings.HasPrefix(s.what, "deliver: post") }
