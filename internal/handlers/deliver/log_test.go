package deliver

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/webhook"
)

// TestWhatIsLogged: of a message that fails again and again its first failure and
// its end; of one that an open circuit keeps back nothing, since that is told of
// once.
func TestWhatIsLogged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer webhook.Exchange
		open   bool
		want   []string
	}{
		"retryable": {webhook.Exchange{Status: 503}, false, []string{"1 retryable", "4 exhausted"}},
		"permanent": {gone404, false, []string{"1 permanent"}},
		"delivered": {ok200, false, nil},
		"kept back": {ok200, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := newWorld(t, c.answer)
			h := w.handler()
			h.Log = slog.New(slog.NewTextHandler(&out, nil))
			if c.open {
				w.open(here, func(s *circuit.State) { s.Until = s.Until.Add(time.Hour) })
			}
			for receives := 1; receives <= 6; receives++ {
				w.handleWith(h, aMessage("a", body("a"), receives))
				w.now = w.now.Add(10 * time.Second)
			}
			var got []string
			for line := range strings.Lines(out.String()) {
				said := regexp.MustCompile(`msg="attempt failed" .* attempt=(\d) .* verdict=(\w+)`).FindStringSubmatch(line)
				if said == nil {
					t.Fatalf("it logged %s", line)
				}
				got = append(got, said[1]+" "+said[2])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("what was logged (-want +got):\n%s", diff)
			}
		})
	}
}
