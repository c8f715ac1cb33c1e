package storetest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// Room is a store of the waiting room.
type Room = waiting.Store

// TestWaiting runs the suite of what waiting.Store promises on a store that is
// empty at first. Its tests share it, but for what one only may say of the whole
// room: each has places of its own.
func TestWaiting(t *testing.T, store Room) {
	t.Helper()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for hour, c := range []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"nothing is there at first", roomEmpty},
		{"every field comes back", roomFields},
		{"bodies of every size", roomBodies},
		{"the first one is in it", roomTwice},
		{"one of many at once", roomAtOnce},
		{"one of many large ones at once", roomLargeAtOnce},
		{"what is there stays as it is", roomStates},
		{"items apart", roomKeys},
		{"in order, and bounded", roomOrder},
		{"settled ones are in nobody's way", roomTombstones},
		{"more than one request settles", roomSettlesMany},
		{"more than one page of large ones", roomLarge},
		{"page by page", roomPages},
		{"leases", roomLeases},
		{"one of many has the lease", roomLeasedAtOnce},
		{"swept", roomSwept},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, newPlace(store, today.AddDate(0, 0, 1).Add(time.Duration(hour)*time.Hour)))
		})
	}
}

// place is the store as one test sees it: one place, where it is alone.
type place struct {
	Room
	minute time.Time
	waiting.Place
}

func newPlace(s Room, minute time.Time) *place { return &place{s, minute, waiting.DuePlace(minute, 0)} }

// item is one that is due so much after the minute's begin, in the test's place.
func (p *place) item(after time.Duration) waiting.Item {
	for {
		i := waiting.Item{
			Queue: "webhooks", MessageID: uuid.NewString(), Attempt: 1, Due: p.minute.Add(after), State: waiting.Waiting,
			Body: `{"id":"evt"}`, WebhookID: "evt", Reason: waiting.Delay, Since: storedAt,
		}
		if i.Place() == p.Place {
			return i
		}
	}
}

func (p *place) enter(t *testing.T, item waiting.Item, want waiting.State) {
	t.Helper()
	if got, err := p.Enter(t.Context(), item); err != nil || got != want {
		t.Fatalf("%s: it is %q, %v; want %q", item.ID(), got, err, want)
	}
}

func (p *place) settle(t *testing.T, as waiting.State, items ...waiting.Item) {
	t.Helper()
	if err := p.Settle(t.Context(), items, as); err != nil {
		t.Fatal(err)
	}
}

// differ is empty where want and got are the same. Bytes are compared at once:
// one by one would take seconds.
func differ(want, got []waiting.Item) string {
	if len(want) == 0 && len(got) == 0 {
		return ""
	}
	return gocmp.Diff(want, got, gocmp.Comparer(bytes.Equal))
}

// want looks for what waits in the place: Any may be late.
func (p *place) want(t *testing.T, want ...waiting.Item) {
	t.Helper()
	got, err := p.In(t.Context(), p.Place, "", 1000)
	if diff := differ(want, got); err != nil || diff != "" {
		t.Fatalf("in %s: %v (-want +got):\n%.4000s", p.Place, err, diff)
	}
	for _, limit := range []int{1, 1000} {
		soon(t, func() string {
			n, more, err := p.Count(t.Context(), p.Place, limit)
			if err != nil || n != min(len(want), limit) || more != (len(want) > limit) {
				return fmt.Sprintf("%d are counted of %d up to %d, and more: %v; %v", n, len(want), limit, more, err)
			}
			return ""
		})
	}
	soon(t, func() string {
		if any, err := p.Any(t.Context(), p.Place); err != nil || any != (len(want) > 0) {
			return fmt.Sprintf("that any of %d wait is %v, %v", len(want), any, err)
		}
		return ""
	})
}

// soon asks until nothing is wrong any more.
func soon(t *testing.T, wrong func() string) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		what := wrong()
		if what == "" {
			return
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatal(what)
		}
	}
}

func roomEmpty(t *testing.T, p *place) {
	p.want(t)
	p.settle(t, waiting.Sent)
	p.want(t)
	if err := p.Unlease(t.Context(), p.Place, "a"); err != nil {
		t.Error(err)
	}
}

func roomFields(t *testing.T, p *place) {
	i := p.item(time.Second + 7)
	i.Queue, i.Attempt, i.Body, i.Group = "notifications", 12, "{\"a\": \"\\n é\u2028\",\r\n\t\"b\": 1}\n\n", "acme/5"
	i.Attributes = map[string]message.Attribute{
		"text": message.Text("<é\n\">"), "number.of things": {Type: "Number.int", Text: "-1.50"},
		"bytes": {Type: "Binary.gzip", Binary: []byte{0, 255, 10, 13, 0xc3}},
	}
	i.Carried = message.Carried{
		ID: "evt_1", Origin: uuid.NewString(), Attempts: 12, Base: 3, First: storedAt.Add(1), Released: storedAt.Add(time.Hour),
		Retry: "standard", Held: message.Held{"delay": time.Hour, "retry-after": time.Minute},
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	i.WebhookID, i.Tenant, i.URL, i.Channel = "evt_1", "acme", "https://a.test/in", "sms"
	i.Reason, i.Why, i.Since = waiting.Trouble, "the table \"t\" can't be\nwritten", storedAt.Add(3)
	bare := p.item(2 * time.Second)
	bare.Body, bare.WebhookID, bare.Reason = "", "", ""
	p.enter(t, i, waiting.Waiting)
	p.enter(t, bare, waiting.Waiting)
	p.want(t, i, bare)
	soon(t, func() string { return differ([]waiting.Item{i, bare}, p.listed(t, 100)) })
}

// noise is text that hardly gets shorter.
func noise(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = b[i]%64 + '0'
	}
	return string(b)
}

// roomBodies: whatever SQS takes is taken, and comes back byte by byte.
func roomBodies(t *testing.T, p *place) {
	var all []waiting.Item
	for n, body := range []string{
		"", "\n", "x", noise(900), noise(4 << 10), noise(64 << 10), strings.Repeat("0123456789", 20_000), noise(message.MaxSize),
	} {
		i := p.item(time.Duration(n) * time.Second)
		i.Body = body
		all = append(all, i)
		p.enter(t, i, waiting.Waiting)
	}
	binary := p.item(time.Minute - 1)
	binary.Body = "x"
	binary.Attributes = map[string]message.Attribute{"b": {Type: "Binary", Binary: []byte(noise(64 << 10))}}
	p.enter(t, binary, waiting.Waiting)
	p.want(t, append(all, binary)...)
	p.settle(t, waiting.Sent, append(all, binary)...)
	p.want(t)
}

// roomTwice: who repeats a move finds what is there, whatever else it says.
func roomTwice(t *testing.T, p *place) {
	i := p.item(0)
	other := i
	other.Body, other.Why, other.Since = noise(64<<10), "again", i.Since.Add(time.Minute)
	p.enter(t, i, waiting.Waiting)
	p.enter(t, i, waiting.Waiting)
	p.enter(t, other, waiting.Waiting)
	p.want(t, i)
	large := p.item(time.Second)
	large.Body = noise(64 << 10)
	other = large
	other.Body = noise(64 << 10)
	p.enter(t, large, waiting.Waiting)
	p.enter(t, other, waiting.Waiting)
	other.State = waiting.Kept
	p.enter(t, other, waiting.Waiting)
	p.want(t, i, large)
}

func roomAtOnce(t *testing.T, p *place) { enterAtOnce(t, p, 16, 100) }

func roomLargeAtOnce(t *testing.T, p *place) { enterAtOnce(t, p, 4, 64<<10) }

func enterAtOnce(t *testing.T, p *place, many, size int) {
	all := make([]waiting.Item, many)
	all[0] = p.item(0)
	var entering sync.WaitGroup
	for n := range all {
		all[n] = all[0]
		all[n].Body = noise(size)
		entering.Go(func() {
			if state, err := p.Enter(t.Context(), all[n]); err != nil || state != waiting.Waiting {
				t.Errorf("it is %q, %v", state, err)
			}
		})
	}
	entering.Wait()
	got, err := p.In(t.Context(), p.Place, "", 100)
	if err != nil || len(got) != 1 || !slices.ContainsFunc(all, func(i waiting.Item) bool { return gocmp.Equal(i, got[0]) }) {
		t.Fatalf("%d of them wait, %v, and none of those is as it was", len(got), err)
	}
	p.want(t, got[0])
}

// roomStates enters every state on top of every other one.
func roomStates(t *testing.T, p *place) {
	states := []waiting.State{waiting.Waiting, waiting.Sent, waiting.Dropped, waiting.Kept}
	var waits []waiting.Item
	for n, first := range states {
		for k, then := range states {
			i := p.item(time.Duration(n*10+k) * time.Second)
			if first == waiting.Kept {
				i.State = waiting.Kept
			}
			p.enter(t, i, i.State)
			if first == waiting.Sent || first == waiting.Dropped {
				p.settle(t, first, i)
				p.settle(t, first, i)
			}
			again := i
			again.State, again.Body = then, "other"
			p.enter(t, again, first)
			p.enter(t, again, first)
			if first == waiting.Waiting {
				waits = append(waits, i)
			}
		}
	}
	p.want(t, waits...)
	late := p.item(time.Minute - 1) // it is settled without having been there
	p.settle(t, waiting.Dropped, late)
	p.enter(t, late, waiting.Dropped)
	p.want(t, waits...)
}

// roomKeys: another attempt, another time and another message are other items.
func roomKeys(t *testing.T, p *place) {
	i := p.item(time.Second)
	attempt, due, long := i, i, i
	attempt.Attempt, due.Due, long.MessageID = 11, i.Due.Add(1), i.MessageID+"-1"
	for long.Place() != p.Place {
		long.MessageID += "1"
	}
	all := []waiting.Item{i, attempt, due, long}
	for n, one := range all {
		one.Body = fmt.Sprint(n)
		all[n] = one
		p.enter(t, one, waiting.Waiting)
	}
	slices.SortFunc(all, inOrder)
	p.want(t, all...)
	p.settle(t, waiting.Sent, all[1])
	p.want(t, all[0], all[2], all[3])
	p.enter(t, all[1], waiting.Sent)
	other := newPlace(p.Room, p.minute.Add(time.Minute))
	other.want(t)
	neighbour := &place{p.Room, p.minute, waiting.DuePlace(p.minute, 1)}
	neighbour.want(t)
}

func roomOrder(t *testing.T, p *place) {
	var all []waiting.Item
	for n := range 30 {
		all = append(all, p.item(time.Duration(n/3)*time.Second+time.Duration(n%2)))
	}
	for n := range all { // 7 and 30 have no divisor in common
		p.enter(t, all[n*7%30], waiting.Waiting)
	}
	slices.SortFunc(all, func(a, b waiting.Item) int { return cmp.Compare(a.Position(), b.Position()) })
	p.want(t, all...)
	for _, limit := range []int{0, 1, 29, 30, 31} {
		got, err := p.In(t.Context(), p.Place, "", limit)
		if diff := differ(all[:min(limit, 30)], got); err != nil || diff != "" {
			t.Errorf("at most %d: %v (-want +got):\n%s", limit, err, diff)
		}
	}
	for name, from := range map[string]string{"from one on": all[10].Position(), "from between two on": all[9].Position() + "~"} {
		got, err := p.In(t.Context(), p.Place, from, 15)
		if diff := differ(all[10:25], got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if got, err := p.In(t.Context(), p.Place, all[29].Position()+"~", 1); err != nil || len(got) != 0 {
		t.Errorf("from behind the last on: %v, %v", got, err)
	}
}

// roomTombstones: those that wait are found behind, between and before many
// that do not.
func roomTombstones(t *testing.T, p *place) {
	var settled, waits []waiting.Item
	for n := range 60 {
		i := p.item(time.Duration(n) * time.Second)
		p.enter(t, i, waiting.Waiting)
		if n%20 == 19 {
			waits = append(waits, i)
		} else {
			settled = append(settled, i)
		}
	}
	p.settle(t, waiting.Sent, settled...)
	p.want(t, waits...)
	for limit := 1; limit <= 3; limit++ {
		got, err := p.In(t.Context(), p.Place, "", limit)
		if diff := differ(waits[:limit], got); err != nil || diff != "" {
			t.Errorf("at most %d: %v (-want +got):\n%s", limit, err, diff)
		}
	}
	p.settle(t, waiting.Sent, waits...)
	p.want(t)
}

func roomSettlesMany(t *testing.T, p *place) {
	var all []waiting.Item
	for n := range 60 {
		i := p.item(time.Duration(n) * time.Second)
		p.enter(t, i, waiting.Waiting)
		all = append(all, i)
	}
	p.settle(t, waiting.Sent, append(all[:55:55], all[:30]...)...)
	p.want(t, all[55:]...)
	for n, i := range all {
		want := waiting.Sent
		if n >= 55 {
			want = waiting.Waiting
		}
		p.enter(t, i, want)
	}
}

// roomLarge holds more than a page of a table that is played.
func roomLarge(t *testing.T, p *place) {
	var all []waiting.Item
	for n := range 40 {
		i := p.item(time.Duration(n) * time.Second)
		i.Body = noise(5000)
		p.enter(t, i, waiting.Waiting)
		all = append(all, i)
	}
	p.want(t, all...)
	p.settle(t, waiting.Sent, all...)
	p.want(t)
}

// listed is what the pages show of the test's place, in order; every page keeps
// to its limit, and none shows anything twice or what does not wait.
func (p *place) listed(t *testing.T, limit int) (all []waiting.Item) {
	t.Helper()
	for from := ""; ; {
		items, next, err := p.Page(t.Context(), from, limit)
		if err != nil || len(items) > limit {
			t.Fatalf("a page of at most %d has %d items, %v", limit, len(items), err)
		}
		for _, i := range items {
			if i.State != waiting.Waiting {
				t.Fatalf("a page shows %+v", i)
			}
			if i.Place() == p.Place {
				all = append(all, i)
			}
		}
		if from = next; from == "" {
			slices.SortFunc(all, inOrder)
			return all
		}
	}
}

func roomPages(t *testing.T, p *place) {
	var waits, settled []waiting.Item
	for n := range 40 {
		i := p.item(time.Duration(n) * time.Second)
		p.enter(t, i, waiting.Waiting)
		if n%4 == 0 {
			settled = append(settled, i)
		} else {
			waits = append(waits, i)
		}
	}
	p.settle(t, waiting.Dropped, settled...)
	if ok, err := p.Lease(t.Context(), p.Place, "a", p.minute, p.minute.Add(time.Minute)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, limit := range []int{7, 1000} {
		soon(t, func() string { return differ(waits, p.listed(t, limit)) })
	}
	for _, from := range []string{"x", "!", waiting.Cursor("", ""), waiting.Cursor("a", ""), waiting.Cursor("", "b")} {
		if items, next, err := p.Page(t.Context(), from, 7); !errors.Is(err, waiting.ErrCursor) {
			t.Errorf("from %q: %v, %q, %v", from, items, next, err)
		}
	}
}

// roomLeases goes through what becomes of one lease, step by step.
func roomLeases(t *testing.T, p *place) {
	at := func(seconds int) time.Time { return p.minute.Add(time.Duration(seconds) * time.Second) }
	other := waiting.DuePlace(p.minute, 1)
	for _, c := range []struct {
		name       string
		place      waiting.Place
		holder     string
		now, until int
		want       bool
	}{
		{"it is free", p.Place, "a", 0, 60, true},
		{"another's", p.Place, "b", 0, 60, false},
		{"another's to its end", p.Place, "b", 59, 120, false},
		{"another place", other, "b", 0, 60, true},
		{"its own", p.Place, "a", 30, 90, true},
		{"longer than it was", p.Place, "b", 89, 120, false},
		{"lapsed", p.Place, "b", 90, 120, true},
		{"it was its own", p.Place, "a", 100, 200, false},
		{"shorter than it was", p.Place, "b", 100, 101, true},
		{"lapsed sooner", p.Place, "a", 101, 200, true},
	} {
		if ok, err := p.Lease(t.Context(), c.place, c.holder, at(c.now), at(c.until)); err != nil || ok != c.want {
			t.Fatalf("%s: %v, %v", c.name, ok, err)
		}
	}
	for _, c := range []struct {
		holder string
		free   bool
	}{{"b", false}, {"", false}, {"a", true}, {"a", true}} {
		if err := p.Unlease(t.Context(), p.Place, c.holder); err != nil {
			t.Fatal(err)
		}
		if ok, err := p.Lease(t.Context(), p.Place, "c", at(101), at(101)); err != nil || ok != c.free {
			t.Fatalf("given back by %q: %v, %v", c.holder, ok, err)
		}
	}
	if ok, err := p.Lease(t.Context(), other, "a", at(1), at(60)); err != nil || ok {
		t.Fatalf("another place was given back: %v, %v", ok, err)
	}
	p.want(t) // a lease is no item
}

func roomLeasedAtOnce(t *testing.T, p *place) {
	lease := func(after time.Duration) (holders []string) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				holder := uuid.NewString()
				ok, err := p.Lease(t.Context(), p.Place, holder, p.minute.Add(after), p.minute.Add(after+time.Minute))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					holders = append(holders, holder)
				}
			})
		}
		all.Wait()
		return holders
	}
	for _, after := range []time.Duration{0, time.Minute} {
		if holders := lease(after); len(holders) != 1 {
			t.Errorf("after %s %v have the lease", after, holders)
		}
	}
}

// roomSwept is the only test that may say what was swept.
func roomSwept(t *testing.T, p *place) {
	want := func(want time.Time) {
		t.Helper()
		if got, err := p.Swept(t.Context()); err != nil || got != want {
			t.Fatalf("swept before %v, %v; want %v", got, err, want)
		}
	}
	want(time.Time{})
	const year = 60 * 24 * 365
	for _, c := range []struct{ minute, want int }{{5, 5}, {5, 5}, {4, 5}, {-60, 5}, {6, 6}, {year, year}, {6, year}} {
		zone := time.FixedZone("", 3600)
		if err := p.Sweep(t.Context(), p.minute.Add(time.Duration(c.minute)*time.Minute).In(zone)); err != nil {
			t.Fatal(err)
		}
		want(p.minute.Add(time.Duration(c.want) * time.Minute))
	}
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			if err := p.Sweep(t.Context(), p.minute.AddDate(2, 0, n*5%16)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	want(p.minute.AddDate(2, 0, 15))
	p.want(t)
}
