package attempt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	history := []Record{
		{MessageID: "a", Attempt: 1}, // from before there were origins
		{MessageID: "b", Attempt: 1, Origin: "b"},
		{MessageID: "c", Attempt: 1, Origin: "a"}, // a, replayed
		{MessageID: "c", Attempt: 2, Origin: "a"},
	}
	for origin, want := range map[string]string{"a": "a#0001 c#0001 c#0002", "b": "b#0001", "c": ""} {
		var got []string
		for _, r := range OfOrigin(history, origin) {
			got = append(got, r.SortKey())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of the origin %s there are %v, want %s", origin, got, want)
		}
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ put, want string }{
		{"", ""},
		{"w/m/1/retryable", "w/m/1/retryable/0"},
		{"w/m/1/retryable w/m/2/retryable w/n/1/retryable v/m/1/retryable", "w/m/1/retryable/0 w/m/2/retryable/1 w/n/1/retryable/2 " +
			"v/m/1/retryable/3"},
		{"w/m/1/retryable w/m/1/retryable", "w/m/1/retryable/1"},
		{"w/m/1/delivered w/m/1/delivered", "w/m/1/delivered/1"},
		{"w/m/1/permanent w/m/1/exhausted", "w/m/1/exhausted/1"},
		{"w/m/1/delivered w/m/1/permanent", "w/m/1/delivered/0"},
		{"w/m/1/delivered w/m/1/retryable", "w/m/1/delivered/0"},
		{"w/m/1/exhausted w/m/1/retryable", "w/m/1/exhausted/0"},
		{"w/m/1/retryable w/n/1/delivered w/m/1/permanent w/m/1/delivered", "w/m/1/delivered/3 w/n/1/delivered/1"},
	} {
		var records []Record
		for i, text := range strings.Fields(c.put) {
			f := strings.Split(text, "/")
			r := Record{WebhookID: f[0], MessageID: f[1], Verdict: Verdict(f[3]), Status: i}
			fmt.Sscan(f[2], &r.Attempt)
			records = append(records, r)
		}
		var got []string
		for _, r := range Distinct(records) {
			got = append(got, fmt.Sprintf("%s/%s/%d/%s/%d", r.WebhookID, r.MessageID, r.Attempt, r.Verdict, r.Status))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("of %s there is left %v, want %s", c.put, got, c.want)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	positions := []Position{
		"", PositionAt(at), Record{MessageID: "a", Attempt: 9, At: at}.Position(), Record{MessageID: "a", Attempt: 10, At: at}.Position(),
		Record{MessageID: "b", Attempt: 1, At: at.In(time.FixedZone("", 3600))}.Position(), PositionAt(at.Add(1)),
		Record{MessageID: "a", Attempt: 1, At: at.Add(time.Second)}.Position(),
	}
	if !slices.IsSortedFunc(positions, func(a, b Position) int {
		if a.Before(b) {
			return -1
		}
		return 1
	}) {
		t.Errorf("these are not in order: %v", positions)
	}
	for _, p := range positions[1:] {
		if !p.Valid() {
			t.Errorf("%s is not valid", p)
		}
	}
	for _, p := range []Position{"", "#", "2026-11-24#m#0001", "2026-13-24T08:00:00.000000000Z#m#0001", "2026-11-24T08:00:00.000000000Z",
		"2026-11-24T08:00:00.0000000000#m"} {
		if p.Valid() {
			t.Errorf("%q is valid", p)
		}
	}
}
