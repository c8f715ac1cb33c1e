package retryafter_test

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/retryafter"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, " ": 0, "0": 0, "7": 7 * time.Second, " 7\t": 7 * time.Second, "007": 7 * time.Second,
		"-1": 0, "+7": 0, "7.5": 0, "1e3": 0, "7s": 0, "soon": 0, "7 8": 0,
		"4000000000": 4_000_000_000 * time.Second,
		// However long it is, it is a wait.
		"9223372036854775807": retryafter.Most, "99999999999999999999": retryafter.Most,
		"Tue, 24 Nov 2026 12:00:30 GMT": 30 * time.Second, " Tue, 24 Nov 2026 12:00:30 GMT ": 30 * time.Second,
		"Tuesday, 24-Nov-26 12:00:30 GMT": 30 * time.Second, "Tue Nov 24 12:00:30 2026": 30 * time.Second,
		"Tue, 24 Nov 2026 11:59:59 GMT": 0, "Tue, 24 Nov 2026": 0,
		"Tue, 24 Nov 9999 11:00:00 GMT": retryafter.Most,
	} {
		if got := retryafter.Parse(in, noon); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "7", "-1", "99999999999999999999", "Tue, 24 Nov 2026 12:00:30 GMT"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := retryafter.Parse(value, noon); got < 0 || got > retryafter.Most {
			t.Fatalf("%q: %v", value, got)
		}
	})
}
