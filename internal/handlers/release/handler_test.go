package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := New(Needs{})
	for _, need := range []string{"Room", "Exit", "Now", "Log"} {
		if err == nil || !strings.Contains(err.Error(), need) {
			t.Errorf("got %v, want it to name %s", err, need)
		}
	}
}

// TestWhen: what is due within 90 s goes, to be received when it is due and
// never before.
func TestWhen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		due   time.Duration
		delay time.Duration
		stays bool
	}{
		{due: -time.Hour},
		{due: -1},
		{due: 0},
		{due: 1, delay: time.Second},
		{due: time.Second, delay: time.Second},
		{due: time.Second + 1, delay: 2 * time.Second},
		{due: 88*time.Second + 500*time.Millisecond, delay: 89 * time.Second},
		{due: 89 * time.Second, delay: 89 * time.Second},
		{due: 90 * time.Second, delay: 90 * time.Second},
		{due: 90*time.Second + 1, stays: true},
		{due: 91 * time.Second, stays: true},
		{due: time.Hour, stays: true},
	} {
		for _, began := range []time.Duration{0, 29 * time.Second, 30 * time.Second, 59*time.Second + 999*time.Millisecond} {
			w := newWorld()
			w.pass(began)
			w.enter(t, item("a", began+c.due))
			run(t, w.handler(t, "h"))
			switch {
			case c.stays:
				if len(w.queues) > 0 || len(w.waits()) != 1 {
					t.Errorf("due in %s: sent %+v", c.due, w.queues)
				}
			case len(w.queues) != 1 || w.queues[0].delay != c.delay || len(w.waits()) > 0:
				t.Errorf("due in %s: got %+v, want a delay of %s", c.due, w.queues, c.delay)
			case w.queues[0].visible().Before(noon.Add(began + c.due)):
				t.Errorf("due in %s: it comes early", c.due)
			}
		}
	}
}

// TestWhat is sent, and what stays of it.
func TestWhat(t *testing.T) {
	t.Parallel()
	w := newWorld()
	i := item("a", 0)
	i.Queue = "notifications"
	i.Carried.Released = noon.Add(-2 * time.Hour)
	w.enter(t, i, item("b", 0))
	w.pass(1500 * time.Millisecond)
	run(t, w.handler(t, "h"))
	got := map[string]sent{}
	for _, s := range w.queues {
		got[s.id] = s
	}
	want := waiting.Outgoing{Body: "a", Group: "acme", Attributes: map[string]message.Attribute{
		"own": message.Text("x"), message.CarriedID: message.Text("evt_a"), message.CarriedAttempts: message.Text("1"),
		message.CarriedFirst: message.Text("2026-11-24T11:00:00Z"), message.CarriedReleased: message.Text("2026-11-24T12:00:01.5Z"),
	}}
	if diff := cmp.Diff(want, got["a"].message); diff != "" || got["a"].queue != "notifications" || got["b"].queue != "webhooks" {
		t.Errorf("sent %+v (-want +got):\n%s", w.queues, diff)
	}
	for _, left := range w.Room() {
		if left.State != waiting.Sent || left.Body != "" {
			t.Errorf("left is %+v", left)
		}
	}
	if want := []time.Duration{time.Hour + 1500*time.Millisecond}; !slices.Equal(w.oldest, want) {
		t.Errorf("the oldest was %v, want %v", w.oldest, want)
	}
	run(t, w.handler(t, "h"))
	if len(w.queues) != 2 || len(w.oldest) != 1 || w.left != 2 {
		t.Errorf("the next run sent %+v, and told of %v, %d", w.queues, w.oldest, w.left)
	}
}

// TestOutage: after ten hours everything goes, oldest first, each once, and the
// room begins where it should.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.handler(t, "h")
	run(t, h)
	ids := w.fill(t, 400, time.Minute, 90*time.Second)
	w.pass(10*time.Hour + 90*time.Second)
	run(t, h)
	if len(w.waits()) > 0 || len(w.queues) != len(ids) {
		t.Fatalf("%d of %d were sent", len(w.queues), len(ids))
	}
	w.wantOrder(t, ids, 1)
	w.looked = map[waiting.Place]int{}
	run(t, h)
	w.looked = map[waiting.Place]int{}
	run(t, h)
	if len(w.looked) > 8*waiting.Shards {
		t.Errorf("%d places are looked at when nothing waits", len(w.looked))
	}
}

// TestSwept: it moves over minutes in which nothing waits, and which are five
// minutes old, and no further.
func TestSwept(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	for _, c := range []struct {
		name   string
		swept  time.Time
		due    []time.Duration
		refuse bool
		passed time.Duration
		want   time.Time
	}{
		{"nothing waits", at(-60), nil, false, 0, at(-5)},
		{"nothing was ever said", time.Time{}, nil, false, 0, at(-5)},
		{"and later", time.Time{}, nil, false, 2 * time.Minute, at(-3)},
		{"within a minute", at(-60), nil, false, 59 * time.Second, at(-5)},
		{"what waits is sent", at(-60), []time.Duration{-40 * time.Minute}, false, 0, at(-5)},
		{"what waits stays", at(-60), []time.Duration{-40*time.Minute + time.Second}, true, 0, at(-40)},
		{"several", at(-60), []time.Duration{-30 * time.Minute, -40 * time.Minute, -20 * time.Minute}, true, 0, at(-40)},
		{"not back", at(-3), nil, false, 0, at(-3)},
		{"to come", at(-60), []time.Duration{time.Hour}, false, 0, at(-5)},
	} {
		w := newWorld()
		if !c.swept.IsZero() {
			if err := w.Memory.Sweep(t.Context(), c.swept); err != nil {
				t.Fatal(err)
			}
		}
		for n, due := range c.due {
			i := item(fmt.Sprint("m", n), due)
			w.refuse[i.Body] = c.refuse
			w.enter(t, i)
		}
		h := w.handler(t, "h")
		_ = h.Handle(t.Context())
		w.pass(c.passed)
		_ = h.Handle(t.Context()) // what the first run sent, the second one knows
		if got, _ := w.Memory.Swept(t.Context()); !got.Equal(c.want) {
			t.Errorf("%s: the room begins at %s, want %s", c.name, got, c.want)
		}
	}
}

// TestLate: what comes into a minute that was looked at goes out all the same,
// up to what who enters it has promised.
func TestLate(t *testing.T) {
	t.Parallel()
	for late := time.Duration(0); late < 5*time.Minute; late += 10 * time.Second {
		w := newWorld()
		h := w.handler(t, "h")
		w.enter(t, item("a", -time.Minute)) // keeps the room's begin where it is
		for w.now.Before(noon.Add(late)) {
			run(t, h)
			w.pass(10 * time.Second)
		}
		w.enter(t, item("late", time.Second))
		run(t, h)
		if w.count("late") != 1 {
			t.Errorf("what came %s after it was due was sent %d times", late, w.count("late"))
		}
	}
}

// TestFirstRun finds what waits where nobody has said yet where the room begins.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fill(t, 10, -48*time.Hour, time.Hour)
	run(t, w.handler(t, "h"))
	w.wantOrder(t, ids, 1)
}

// TestClockAhead: that another's clock was wrong must not hide what is due.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.Memory.Sweep(t.Context(), noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.enter(t, item("a", -time.Minute))
	run(t, w.handler(t, "h"))
	if w.count("a") != 1 {
		t.Errorf("it was sent %d times", w.count("a"))
	}
}

// TestTimeIsUp: a run begins nothing in the last seconds of its time, and the
// next one goes on.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fill(t, 400, -time.Minute, 0)
	ctx, stop := context.WithTimeout(t.Context(), wrapUp)
	defer stop()
	if err := w.handler(t, "h").Handle(ctx); len(w.queues) > 0 || err != nil {
		t.Errorf("with no time left %d were sent, %v", len(w.queues), err)
	}
	// It ends in the midst of it: what is begun is brought to its end.
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	w.before = func(call string) {
		if call == "Send" {
			stop()
		}
	}
	if err := w.handler(t, "h").Handle(ctx); err != nil {
		t.Error(err)
	}
	if n := len(w.queues); n == 0 || n > 4*50 || len(w.waits()) != len(ids)-n {
		t.Errorf("%d were sent, and %d wait", n, len(w.waits()))
	}
	w.before = nil
	run(t, w.handler(t, "other"))
	for _, id := range ids {
		if w.count(id) != 1 {
			t.Errorf("%s was sent %d times", id, w.count(id))
		}
	}
}

// TestManyOverdue are spread over the next seconds.
func TestManyOverdue(t *testing.T) {
	t.Parallel()
	w := newWorld()
	place := waiting.DuePlace(noon.Add(-time.Hour), 0)
	var ids []string
	for n := 0; len(ids) < 250; n++ {
		if i := item(fmt.Sprintf("m%05d", n), -time.Hour+time.Duration(n)*time.Millisecond); i.Place() == place {
			ids = append(ids, i.Body)
			w.enter(t, i)
		}
	}
	run(t, w.handler(t, "h"))
	for n, s := range w.queues {
		if want := time.Duration(n/100) * time.Second; s.id != ids[n] || s.delay != want {
			t.Errorf("as number %d went %s, delayed by %s, want %s, by %s", n, s.id, s.delay, ids[n], want)
		}
	}
	if len(w.queues) != len(ids) {
		t.Errorf("%d were sent", len(w.queues))
	}
}
