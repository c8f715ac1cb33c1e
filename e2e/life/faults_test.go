package life

import (
	"fmt"
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
					t.Run(fmt.Sprintf("%s: %s", s, f), func(t *testing.T) { l.withFault(t, s, f) })
				}
			}
		})
	}
}

// withFault checks the life with one fault.
func (l *life) withFault(t *testing.T, s site, f fault) {
	w, got := l.live(t, map[site]fault{s: f})
	if len(w.calls.hit) != 1 {
		t.Errorf("the fault did not happen")
	}
	most := l.atMost(s, f)
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

// atMost is how a life with one fault may end at most. What was sent, and the
// record of which is lost, is sent again.
func (l *life) atMost(s site, f fault) ending {
	most := l.want
	switch {
	case strings.HasPrefix(s.what, "deliver: post"), strings.HasPrefix(s.what, "deliver: put"):
		most.posts++
		most.taken++
	}
	return most
}

// mayKill reports whether a fault may use up a message's attempt.
func mayKill(s site) bool { return strings.HasPrefix(s.what, "deliver: post") }
