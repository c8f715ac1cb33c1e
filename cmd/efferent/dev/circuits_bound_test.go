package dev

import (
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// instance is one more instance of deliver beside those of a dev, and its queue.
func instance(t *testing.T, l *Local, env map[string]string) (*deliver.Handler, assembly.Feed) {
	t.Helper()
	w, err := localDelivery(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	kept := assembly.Stores{Attempts: sqlite.NewAttempts(l.db), Room: sqlite.NewWaiting(l.db), Circuits: sqlite.NewCircuits(l.db)}
	f := l.feed(settings.WebhooksQueue, kept)
	h, err := assembly.Deliverer(f, w, secretsmanager.NewFromConfig(scenario.Config(l.AWSURL)), kept)
	if err != nil {
		t.Fatal(err)
	}
	return h, f
}

func TestCircuitLimitsAreHeeded(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	t.Cleanup(l.Close)
	h, _ := instance(t, l, limits("failures=7"))
	if got := h.Circuits.(*circuit.Keeper).Limits.Threshold; got != 7 {
		t.Errorf("the threshold is %d", got)
	}
}

// startInstances runs Efferent in this process, with so many instances of deliver.
// Each has one invocation at a time and what it knows itself, as on Lambda.
func startInstances(t *testing.T, n int, env map[string]string) *commandtest.Running {
	t.Helper()
	l := openData(t, ":memory:", env)
	l.sources = append(l.sources[:1], l.sources[2:]...)
	for range n {
		h, f := instance(t, l, env)
		l.sources = append(l.sources, eventsource.New(f.Queue(), h.Handle, eventsource.Options{Log: f.Log, Concurrency: 1, MaxConcurrency: 1}))
	}
	s := runLocal(t, l)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

// breaker is a listener that closes each connection once it may, and counts them.
func breaker(t *testing.T, may <-chan struct{}) (address string, n *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			go func() { <-may; c.Close() }()
		}
	}()
	return l.Addr().String(), n
}

// TestTheBound: a receiver that is down, a thousand messages, twenty invocations at
// once. It sees the threshold and what is in flight, and what a function sends that
// has read the circuit within the last second: a batch at most, for its own batch
// shows it what the circuit is.
func TestTheBound(t *testing.T) {
	t.Parallel()
	const messages, instances, batch, threshold = 1000, 20, 10, 5
	for name, url := range map[string]string{"it answers 500": "", "it closes connections": "http://", "no TLS comes about": "https://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startInstances(t, instances, limits("first=1h;longest=1h"))
			all := make(chan struct{})
			e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				<-all
				w.WriteHeader(http.StatusInternalServerError)
			})
			address, n := breaker(t, all)
			count := func() int { return len(e.Seen) + int(n.Load()) }
			if url += address; url == address {
				url = e.URL
			}
			s.SendMany(t, "bound", url, messages)
			close(all)
			for waiting := 0; waiting < messages; {
				waiting = 0
				var list replay.Circuits
				s.Call(t, "GET", "/circuits", "", &list)
				for _, c := range list.Items {
					waiting += c.Waiting
				}
			}
			if n := count(); n < threshold || n > threshold+2*instances*batch {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestOneProbeAtATime: of twenty functions that each have messages for an open
// circuit, one sends one.
func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	s := startInstances(t, 20, limits("first=1s;longest=1s"))
	var inFlight, most, probes atomic.Int64
	var opened atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		n := inFlight.Add(1)
		defer inFlight.Add(-1)
		if opened.Load() {
			probes.Add(1)
			most.Store(max(most.Load(), n))
			<-time.After(200 * time.Millisecond) // for others to come meanwhile
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	s.SendMany(t, "probes", e.URL, 300)
	// Everybody knows it once it was opened twice, for a second each time.
	s.CircuitOf(t, e.URL, func(c replay.Circuit) bool { return c.Opens > 2 })
	opened.Store(true)
	for end := time.Now().Add(commandtest.Soon); probes.Load() < 3 && time.Now().Before(end); {
		s.CircuitOf(t, e.URL, func(replay.Circuit) bool { return true })
	}
	if probes.Load() < 3 || most.Load() != 1 {
		t.Errorf("%d probes were made, up to %d at the same time", probes.Load(), most.Load())
	}
}
