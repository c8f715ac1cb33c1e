package event

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRequestHash(t *testing.T) {
	t.Parallel()
	hash := func(body string) string {
		h, err := Event{"evt_1", "acme", "a", []byte(body)}.RequestHash()
		if err != nil {
			t.Fatal(body, err)
		}
		return h
	}
	const one = `{"a":1,"b":[1.50,"x"],"n":9007199254740993}`
	for _, same := range []string{` { "b" : [1.5,"\u0078"], "n":9007199254740993,"a":1}`} {
		if hash(same) != hash(one) {
			t.Errorf("%s is another request", same)
		}
	}
	for _, other := range []string{
		`{"a":1,"b":["x",1.5],"n":9007199254740993}`, `{"a":1,"b":[1.5,"x"],"n":9007199254740992}`,
		`{"a":"1","b":[1.5,"x"],"n":9007199254740993}`,
		`{"a":1,"b":[1.5,"X"],"n":9007199254740993}`, `{"b":[1.5,"x"],"n":9007199254740993}`,
	} {
		if hash(other) == hash(one) {
			t.Errorf("%s is the same request", other)
		}
	}
	e := Event{"evt_1", "acme", "a", []byte(one)}
	for _, change := range []func(*Event){func(e *Event) { e.ID = "" }, func(e *Event) { e.Tenant = "b" }, func(e *Event) { e.Type = "b" },
		func(e *Event) { e.ID, e.Tenant = "evt_1a", "cme" }, func(e *Event) { e.Tenant, e.Type = "acmea", "" }} {
		other := e
		change(&other)
		if h, _ := other.RequestHash(); h == hash(one) {
			t.Errorf("%+v is the same request", other)
		}
	}
}

// TestHashOf tells events of one id apart, and Key those of one place.
func TestHashOf(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, e := range [][2]string{{"a", "1"}, {"b", "1"}, {"a", "2"}, {"a1", ""}, {"", "a1"}} {
		h := HashOf(e[0], []byte(e[1]))
		if before, twice := seen[h]; twice || h != HashOf(e[0], []byte(e[1])) {
			t.Errorf("%q has the hash of %q", e, before)
		}
		seen[h] = e[0] + e[1]
	}
	if a, b := (Record{ID: "a", Hash: "bc"}).Key(), (Record{ID: "ab", Hash: "c"}).Key(); a == b {
		t.Errorf("%s is the key of two", a)
	}
	at := time.Date(2026, 11, 26, 12, 59, 0, 0, time.FixedZone("", 3600))
	if got := PlaceOf("acme", at); got != "acme#2026-11-26T11" {
		t.Error(got)
	}
}

// TestGroup: an endpoint has one group always, and a tenant's are spread over eight, so
// that a dead one takes an eighth of its tenant's turn.
func TestGroup(t *testing.T) {
	t.Parallel()
	groups := map[string]bool{}
	for n := range 1000 {
		id := "ep_" + strconv.Itoa(n)
		groups[Group("acme", id)] = true
		if Group("acme", id) != Group("acme", id) || Group("beta", id) == Group("acme", id) {
			t.Fatal(id)
		}
	}
	if len(groups) != 8 || !groups["acme/0"] || !groups["acme/7"] {
		t.Error(groups)
	}
}

// TestFits: an event is as long as its longest message to an endpoint.
func TestFits(t *testing.T) {
	t.Parallel()
	e := Event{ID: "evt_1", Tenant: "acme", Type: "a", Body: []byte(`""`)}
	if got := len(e.To("ep_2Ck9mUPxQbqVZ9yTzTZmJ4")); got != e.Size() {
		t.Errorf("it is %d long, and said to be %d", got, e.Size())
	}
	for over, fits := range map[int]bool{0: true, 1: false} {
		e.Body = []byte(`"` + strings.Repeat("x", 1<<20-4<<10-(e.Size()-len(e.Body))-2+over) + `"`)
		if err := e.Fits(); (err == nil) != fits {
			t.Errorf("%d over: %v", over, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	e := Event{"evt_1", "acme", `Order "1" Placed`, []byte(`{"a": 1.0}`)}
	got, err := Decode(e.Text())
	if err != nil || got.ID != e.ID || got.Tenant != e.Tenant || got.Type != e.Type || string(got.Body) != string(e.Body) {
		t.Errorf("%s: %+v, %v", e.Text(), got, err)
	}
}
