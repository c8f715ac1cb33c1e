package transitions_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/outcome/transitions"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// heard is a Sink that remembers.
type heard struct{ events []outcome.Event }

func (h *heard) Tell(_ context.Context, events []outcome.Event) error {
	h.events = append(h.events, events...)
	return nil
}

// known is a Finder of one endpoint.
type known struct{ err error }

func (k known) Where(context.Context, string) (string, string, error) {
	if k.err != nil {
		return "", "", k.err
	}
	return "acme", "https://a.test/in?token=hidden", nil
}

// TestTransitions: a change is told of once, by whose endpoint it is: never by that of
// another tenant. A host's is nobody's.
func TestTransitions(t *testing.T) {
	t.Parallel()
	open := func(n circuit.Name) circuit.State {
		return circuit.State{Name: n, Phase: circuit.Open, Version: 3, Change: "c", Why: "500 time and again", Opened: noon,
			Until: noon.Add(time.Minute)}
	}
	plain := func(tenant string) circuit.Name {
		return circuit.Name{Scope: circuit.Endpoint, Tenant: tenant, URL: "https://a.test/in"}
	}
	registered := circuit.Name{Scope: circuit.Endpoint, URL: "ep_1"}
	for name, c := range map[string]struct {
		before, after circuit.State
		find          error
		want          string // kind, tenant and subject; empty: none
	}{
		"opens":            {circuit.State{}, open(plain("acme")), nil, "endpoint.failing acme https://a.test/in"},
		"another tenant's": {circuit.State{}, open(plain("globex")), nil, "endpoint.failing globex https://a.test/in"},
		"registered":       {circuit.State{}, open(registered), nil, "endpoint.failing acme ep_1"},
		"nobody knows it":  {circuit.State{}, open(registered), errors.New("out of reach"), "endpoint.failing  ep_1"},
		"opens once more":  {open(plain("acme")), open(plain("acme")), nil, ""},
		"a host's":         {circuit.State{}, open(circuit.Name{Scope: circuit.Host, URL: "https://a.test"}), nil, ""},
		"closes": {open(registered), circuit.State{Name: registered, Phase: circuit.Closed, Version: 4, ClosedAt: noon}, nil,
			"endpoint.recovered acme ep_1"},
		"of who is to know": {circuit.State{}, open(plain("operator")), nil, ""},
	} {
		kinds, err := outcome.ParseKinds("")
		if err != nil {
			t.Fatal(err)
		}
		h := &heard{}
		tell := &outcome.Teller{Sink: h, Kinds: kinds, Quiet: "operator"}
		first := 0
		changed := transitions.Transitions{Teller: tell, Endpoints: known{c.find}, Log: slog.New(slog.DiscardHandler)}.
			After(func(context.Context, circuit.State, circuit.State) { first++ })
		changed(t.Context(), c.before, c.after)
		got := ""
		for _, e := range h.events {
			b, err := e.JSON()
			if err != nil || bytes.Contains(b, []byte("hidden")) {
				t.Errorf("%s: %s, %v", name, b, err)
			}
			got += string(e.Kind) + " " + e.Tenant + " " + e.Subject
		}
		if got != c.want || first != 1 {
			t.Errorf("%s: got %q; the ledger was told %d times", name, got, first)
		}
	}
}

// TestAlertsOfTenants: the same URL of two tenants has two circuits, whose alerts have
// nothing in common; and of one circuit, each change has its own.
func TestAlertsOfTenants(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tenant := range []string{"", "acme", "globex"} {
		for version := range int64(3) {
			for _, phase := range []circuit.Phase{circuit.Open, circuit.Closed} {
				of := circuit.Name{Scope: circuit.Endpoint, Tenant: tenant, URL: "https://a.test/in"}
				s := circuit.State{Name: of, Phase: phase, Version: version}
				e, ok := transitions.OfCircuit(s, "initech", "https://other.test/")
				if !ok || seen[e.ID] || e.Tenant != tenant || e.Data.(outcome.Endpoint).Tenant != tenant {
					t.Errorf("%+v of %+v", e, s)
				}
				seen[e.ID] = true
			}
		}
	}
}
