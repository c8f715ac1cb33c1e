package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

var at = time.Date(2026, 11, 24, 12, 0, 0, 5_000_000, time.FixedZone("CET", 3600))

func TestEntryJSON(t *testing.T) {
	t.Parallel()
	e := Entry{
		Action: WebhookAttempt, Actor: "efferent:deliver", Attempt: 2, ID: "m#2", MessageID: "m", Tenant: "acme",
		Resource: "url=https://a.test/in%2Fto, event=a<b>&c", Timestamp: at, WebhookID: "evt_1",
	}
	got, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"webhook.attempt","actor":"efferent:deliver","attempt":2,"id":"m#2","message_id":"m",` +
		`"resource":"url=https://a.test/in%2Fto, event=a<b>&c","tenant":"acme","timestamp":"2026-11-24T11:00:00.005Z","webhook_id":"evt_1"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEntryThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for _, e := range []Entry{{Action: "a\xff"}, {ID: "\xff"}, {Resource: "\xff"}, {Tenant: "\xff"},
		{Resource: strings.Repeat("x", 1<<20) + "\xff"}, {WebhookID: "\xff"}} {
		if b, err := e.AppendJSON(nil); err == nil {
			t.Errorf("%+v was written as %s", e, b)
		}
	}
}

func TestEntryJSONIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String()
		e := Entry{
			Action: s.Draw(t, "action"), Actor: s.Draw(t, "actor"), Attempt: rapid.IntRange(0, 99).Draw(t, "n"),
			ID: s.Draw(t, "id"), MessageID: s.Draw(t, "mid"), Resource: s.Draw(t, "res"), Timestamp: at, WebhookID: s.Draw(t, "wid"),
			Tenant: s.Draw(t, "tenant"), FailedChannels: rapid.SliceOf(s).Draw(t, "failed"),
		}
		got, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		canonical := jsontext.Value(bytes.Clone(got))
		if err := canonical.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, canonical) {
			t.Fatalf("got %s, canonical is %s", got, canonical)
		}
	})
}

// TestEntriesAreBounded: whatever the texts are, the entry is one that the
// ledger takes, and says what was cut.
func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"\x01", "€", "a", "\U0001F600"} {
		long := strings.Repeat(piece, 1<<20)
		channels := slices.Repeat([]string{long}, 99)
		e := Entry{Action: long, Actor: long, Attempt: 1<<53 - 1, FailedChannels: channels, ID: long, MessageID: long, Resource: long,
			Tenant: long, Timestamp: at, WebhookID: long}
		b, err := e.AppendJSON(nil)
		if err != nil || len(b) > MaxEntry {
			t.Errorf("%q: %d bytes, %v", piece, len(b), err)
		}
		if entries, err := ParseMessage(slices.Concat([]byte(messageHead), b, []byte(messageTail))); err != nil || len(entries) != 1 {
			t.Errorf("%q: %v", piece, err)
		}
		if !bytes.Contains(b, []byte("…sha256:"+DeduplicationID([]byte(long)))) {
			t.Errorf("%q: it does not say what was cut", piece)
		}
	}
	if got := within(strings.Repeat("a", textLimit), textLimit); len(got) != textLimit {
		t.Errorf("a text of just the limit was cut to %q", got)
	}
}

func TestParseMessage(t *testing.T) {
	t.Parallel()
	const entry = `{"action":"a","id":"x","timestamp":"t"}`
	for _, c := range []struct {
		name, body string
		entries    int
		err        error
	}{
		{"one", `{"v":1,"entries":[` + entry + `]}`, 1, nil},
		{"two, in another order, spaced", ` {"entries": [ ` + entry + `, ` + entry + `], "v": 1 } `, 2, nil},
		{"more members than now", `{"v":1,"entries":[{"action":"a","id":"x","later":{"a":[1,2]},"timestamp":"t"}]}`, 1, nil},
		{"another version", `{"v":2,"things":1}`, 0, ErrVersion},
		{"another version's text", `{"v":"1","entries":[]}`, 0, ErrVersion},
		{"nothing", ``, 0, ErrMalformed},
		{"half", `{"v":1,"entries":[` + entry, 0, ErrMalformed},
		{"more behind it", `{"v":1,"entries":[` + entry + `]}{}`, 0, ErrMalformed},
		{"a list", `[` + entry + `]`, 0, ErrMalformed},
		{"no version", `{"entries":[` + entry + `]}`, 0, ErrMalformed},
		{"no entries", `{"v":1}`, 0, ErrMalformed},
		{"none in the list", `{"v":1,"entries":[]}`, 0, ErrMalformed},
		{"twice", `{"v":1,"entries":[` + entry + `],"entries":[` + entry + `]}`, 0, ErrMalformed},
		{"another member", `{"v":1,"entries":[` + entry + `],"x":1}`, 0, ErrMalformed},
		{"an entry that is none", `{"v":1,"entries":[1]}`, 0, ErrMalformed},
		{"an entry without an id", `{"v":1,"entries":[{"action":"a","timestamp":"t"}]}`, 0, ErrMalformed},
		{"not in order", `{"v":1,"entries":[{"id":"x","action":"a","timestamp":"t"}]}`, 0, ErrMalformed},
		{"spaces in an entry", `{"v":1,"entries":[{"action":"a", "id":"x","timestamp":"t"}]}`, 0, ErrMalformed},
		{"a number of another form", `{"v":1,"entries":[{"action":"a","attempt":1.0,"id":"x","timestamp":"t"}]}`, 0, ErrMalformed},
		{"a member twice", `{"v":1,"entries":[{"action":"a","action":"b","id":"x","timestamp":"t"}]}`, 0, ErrMalformed},
		{"not UTF-8", `{"v":1,"entries":[{"action":"` + "\xff" + `","id":"x","timestamp":"t"}]}`, 0, ErrMalformed},
		{"too large", `{"v":1,"entries":[{"action":"a","id":"` + strings.Repeat("x", MaxEntry) + `","timestamp":"t"}]}`, 0, ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			entries, err := ParseMessage([]byte(c.body))
			if len(entries) != c.entries || !errors.Is(err, c.err) {
				t.Errorf("got %d entries, %v; want %d, %v", len(entries), err, c.entries, c.err)
			}
		})
	}
}

// TestMessagesComeBack: what a producer of ours writes is taken byte for byte.
func TestMessagesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(1, 700, -1)
		var all []Entry
		var want [][]byte
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			e := Entry{Action: s.Draw(t, "action"), Actor: s.Draw(t, "actor"), ID: s.Draw(t, "id"), Resource: s.Draw(t, "res"), Timestamp: at}
			b, err := e.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			all, want = append(all, e), append(want, b)
		}
		bodies, err := Messages(all, rapid.IntRange(1, 4000).Draw(t, "limit"))
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for _, b := range bodies {
			entries, err := ParseMessage(b)
			if err != nil {
				t.Fatalf("%v of %s", err, b)
			}
			got = append(got, entries...)
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1", "", true}, {"", "", false}, {"", "1", false}, {"2", "1", true}, {"1", "1", false}, {"10", "9", true}, {"9", "10", false},
		{"010", "9", true}, {"18849496460467696128", "18849496460467696127", true}, {"018849496460467696127", "18849496460467696128", false},
		{"340282366920938463463374607431768211455", "18849496460467696128", true},
	} {
		if got := After(c.a, c.b); got != c.want {
			t.Errorf("%s after %s: %v", c.a, c.b, got)
		}
	}
}

func TestIsLane(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"lane-0": true, "lane-12": true, "lane-999": true, "lane-1000": false, "lane-": false, "lane-01": false, "lane--1": false,
		"lane-+1": false, "Lane-1": false, "": false, "lane-0/../x": false, "lane-1 ": false,
	} {
		if IsLane(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	entry := func(i int) Entry {
		return Entry{Action: "a", ID: fmt.Sprint("m#", i), Resource: strings.Repeat("r", 100), Timestamp: at}
	}
	one, err := entry(0).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	frame := len(messageHead) + len(messageTail)
	for _, c := range []struct {
		name           string
		entries, limit int
		want           []int
	}{
		{"none", 0, MessageLimit, nil},
		{"one", 1, MessageLimit, []int{1}},
		{"all fit exactly", 3, frame + 3*len(one) + 2, []int{3}},
		{"one byte short", 3, frame + 3*len(one) + 1, []int{2, 1}},
		{"larger than the limit alone", 2, 10, []int{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var in []Entry
			for i := range c.entries {
				in = append(in, entry(i))
			}
			out, err := Messages(in, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(out) != len(c.want) {
				t.Fatalf("got %d messages, want %d", len(out), len(c.want))
			}
			next := 0
			for i, b := range out {
				var m struct {
					V       int
					Entries []struct{ ID string }
				}
				if err := json.Unmarshal(b, &m); err != nil {
					t.Fatalf("%v in %s", err, b)
				}
				if m.V != 1 || len(m.Entries) != c.want[i] {
					t.Errorf("message %d: v %d with %d entries, want 1 with %d", i, m.V, len(m.Entries), c.want[i])
				}
				for _, e := range m.Entries {
					if want := fmt.Sprint("m#", next); e.ID != want {
						t.Errorf("entry %q where %q was due", e.ID, want)
					}
					next++
				}
			}
		})
	}
}

func TestLane(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 200 {
		l := Lane(fmt.Sprint("key", i), 4)
		if l != Lane(fmt.Sprint("key", i), 4) {
			t.Fatal("the same key went to two lanes")
		}
		seen[l] = true
	}
	if len(seen) != 4 || !seen["lane-0"] || !seen["lane-3"] {
		t.Errorf("200 keys used %v, want all of lane-0 to lane-3", seen)
	}
	if got := Lane("x", 0); got != "lane-0" {
		t.Errorf("no lanes gave %q", got)
	}
}
