package life

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestListedWhileItWaits: a message that was taken out of the dead-letter queue, and
// waits in the room since, is not listed there; when it is dead again, it is.
func TestListedWhileItWaits(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(*world){
		"replayed": replayOne, "redriven": redrive, "redriven by the API": replayAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inWorld(t, settingsOf{})
			e := w.one(message{}, gone, answer{status: 503, retryAfter: 3 * h}, gone)
			if n := list(w); n != 1 {
				t.Errorf("%d dead letters, want 1", n)
			}
			back(w)
			w.pass(5 * time.Minute)
			if n := list(w); n != 0 || len(e.posts) != 2 {
				t.Errorf("%d dead letters while it waits, after %d POSTs", n, len(e.posts))
			}
			w.rest()
			if n := list(w); n != 1 || len(e.posts) != 3 {
				t.Errorf("%d dead letters in the end, after %d POSTs", n, len(e.posts))
			}
		})
	}
}

// TestWhatIsListed: the item says what was tried of the message in all its lives.
func TestWhatIsListed(t *testing.T) {
	t.Parallel()
	w := inWorld(t, slow)
	w.one(message{retry: "slow"}, busy, busy, busy, busy, answer{ours: true}, gone)
	replayOne(w)
	w.rest()
	list(w)
	items := w.items()
	if len(items) != 1 {
		t.Fatalf("%d items are listed", len(items))
	}
	got := items[0]
	got.ItemID = ""
	last := w.newest()
	want := replay.Item{WebhookID: "evt_1", EventType: "e", URL: someURL, Tenant: "acme", Reason: "404 Not Found", LastStatus: 404,
		Attempts: 5, FirstAt: morning, LastAt: last.At}
	if got != want {
		t.Errorf("listed is %+v, want %+v", got, want)
	}
}
