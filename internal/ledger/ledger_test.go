package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
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
		Action: WebhookAttempt, Actor: "efferent:deliver", Attempt: 2, ID: "m#2", MessageID: "m",
		Resource: BeforeSending("https://u:p@a.test/in%2Fto?token=1#f", "a<b>&c"), Timestamp: at, WebhookID: "evt_1",
	}
	got, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"webhook.attempt","actor":"efferent:deliver","attempt":2,"id":"m#2","message_id":"m",` +
		`"resource":"url=https://a.test/in%2Fto, event=a<b>&c","timestamp":"2026-11-24T11:00:00.005Z","webhook_id":"evt_1"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEntryThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for _, e := range []Entry{{Action: "a\xff"}, {ID: "\xff"}, {Resource: "\xff"}, {WebhookID: "\xff"}} {
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

func TestResources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{AfterSending("https://a.test:8443/x?y=1", 503), "url=https://a.test:8443/x, status=503"},
		{AfterSending("https://a.test", 0), "url=https://a.test, status=0"},
		{BeforeSending("http://user:p@ss@a.test?x", "e"), "url=http://a.test, event=e"},
		{BeforeSending("https://a.test/b@c/d#f?g", "e"), "url=https://a.test/b@c/d, event=e"},
		{BeforeSending("//user@a.test/b", "e"), "url=//a.test/b, event=e"},
		{BeforeSending("", "e"), "url=, event=e"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
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
