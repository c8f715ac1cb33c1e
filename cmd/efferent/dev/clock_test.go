package dev

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/steady"
	"github.com/efferent/efferent/internal/webhook"
)

// ahead is a clock that the machine's was set back from.
type ahead struct {
	clockwork.Clock
	by time.Duration
}

func (a ahead) Now() time.Time { return a.Clock.Now().Add(a.by) }

// TestAfterTheClockWasSetBack: what waits is measured by the clock that goes on,
// by all who measure it, and signatures are made by the time of day, which
// receivers know.
func TestAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:",
		Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler), Clock: ahead{clockwork.NewRealClock(), time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	s := runLocal(t, l)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s.Send(t, scenario.Text("evt_1", e.URL))
	for range 2 {
		select {
		case <-e.Seen:
		case <-time.After(commandtest.Soon):
			t.Fatal("it did not come again")
		}
	}
	for _, a := range e.Arrivals("evt_1") {
		if err := webhook.Verify(a.Header, []byte(a.Body), a.At, scenario.SecretValue); err != nil {
			t.Errorf("a receiver would refuse it: %v", err)
		}
	}
}

// TestTheClockOfDev is one that is not set back.
func TestTheClockOfDev(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	defer l.Close()
	if _, ok := l.clock.(*steady.Clock); !ok {
		t.Errorf("it is a %T", l.clock)
	}
}
