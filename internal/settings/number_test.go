package settings

import (
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 20, "1": 1, "1000": 1000, "0": 0, "1001": 0, "-1": 0, "many": 0, "7.5": 0} {
		r := reader{getenv: env(MaxReceives, text)}
		got := r.number(MaxReceives, 20, 1, 1000)
		if want != 0 {
			if got != want || len(r.errs) > 0 {
				t.Errorf("%q: got %d, %v, want %d", text, got, r.errs, want)
			}
			continue
		}
		if len(r.errs) != 1 || !strings.Contains(r.errs[0].Error(), "from 1 to 1000") {
			t.Errorf("%q: got %d, %v, want an error that names the range", text, got, r.errs)
		}
	}
}
