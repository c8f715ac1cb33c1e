package deliver

import (
	"slices"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/webhook"
)

// TestTheGraceEndsAtTheSignature: which keys sign is decided when a webhook is
// signed, however long before that they were read.
func TestTheGraceEndsAtTheSignature(t *testing.T) {
	t.Parallel()
	const exchange = 3 * time.Second
	for name, c := range map[string]struct {
		ends  time.Duration // from the first exchange
		signs [2]int        // how many keys, by exchange
	}{
		"before the first":               {-1, [2]int{1, 1}},
		"at the first":                   {0, [2]int{1, 1}},
		"just after the first":           {1, [2]int{2, 1}},
		"at the next, at once":           {exchange, [2]int{2, 1}},
		"just after the next, at once":   {exchange + 1, [2]int{2, 2}},
		"the day after, as there is one": {24 * time.Hour, [2]int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, webhook.Exchange{Lost: true, Duration: exchange, Err: errFault}, ok200)
			keys := signingKeys(t, "the new horse battery staple", "the old horse battery staple")
			keys.Until = w.now.Add(c.ends)
			w.keys = map[string]webhook.Keys{"v1": keys}
			if failed := w.handle(aMessage("a", body("a"), 1)); len(failed) > 0 || len(w.posts) != 2 || len(w.since) != 1 {
				t.Fatalf("failed are %v after %d posts with keys read %d times", failed, len(w.posts), len(w.since))
			}
			for i, n := range c.signs {
				if !slices.Equal(w.posts[i].Secrets, keys.Secrets[:n]) {
					t.Errorf("post %d is signed by %d keys, want the first %d", i, len(w.posts[i].Secrets), n)
				}
			}
		})
	}
}

// TestARefusalIsTriedAgainForAKey: one more try at once is for a key that did not
// sign the one before, whichever it is.
func TestARefusalIsTriedAgainForAKey(t *testing.T) {
	t.Parallel()
	const a, b = "horse battery staple a", "horse battery staple b"
	for name, c := range map[string]struct {
		cached, now []string
		until       time.Duration // of both, from the refusal
		posts       int
	}{
		"as it was":                         {[]string{a}, []string{a}, time.Hour, 1},
		"rotated":                           {[]string{a}, []string{b, a}, time.Hour, 2},
		"rotated without a grace":           {[]string{a}, []string{b}, 0, 2},
		"the grace has ended":               {[]string{b, a}, []string{b}, time.Hour, 1},
		"the grace is over, and still read": {[]string{b}, []string{b, a}, 0, 1},
		"the one before was not read":       {[]string{b}, []string{b, a}, time.Hour, 2},
		"back again":                        {[]string{b, a}, []string{a}, time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, denied401, denied401)
			w.cached = "v0"
			w.keys = map[string]webhook.Keys{"v0": signingKeys(t, c.cached...), "v1": signingKeys(t, c.now...)}
			for version, keys := range w.keys {
				keys.Until = w.now.Add(denied401.Duration + c.until)
				w.keys[version] = keys
			}
			if w.handle(aMessage("a", body("a"), 1)); len(w.posts) != c.posts {
				t.Errorf("%d posts, want %d", len(w.posts), c.posts)
			}
		})
	}
}

// TestAReplacedKeyIsReadAtOnce: an endpoint that says that its key was replaced is not
// signed for by what was read before.
func TestAReplacedKeyIsReadAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.cached, w.cachedAt = "v0", w.now
	w.keys = map[string]webhook.Keys{"v0": signingKeys(t, "horse battery staple a"), "v1": signingKeys(t, "horse battery staple b")}
	w.registers(func(*endpoint.Endpoint) {})
	w.handle(aMessage("a", toEndpoint("a"), 1))
	w.now = w.now.Add(2 * time.Second)
	w.alters(func(e *endpoint.Endpoint) { e.Rotated = w.now.Add(-time.Second) })
	w.handle(aMessage("b", toEndpoint("b"), 1))
	if len(w.posts) != 2 || !slices.Equal(w.posts[0].Secrets, w.keys["v0"].Secrets) ||
		!slices.Equal(w.posts[1].Secrets, w.keys["v1"].Secrets) {
		t.Errorf("%d posts, which the wrong keys have signed", len(w.posts))
	}
}
