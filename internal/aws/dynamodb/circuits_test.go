package awsdynamodb

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/storetest"
)

func newCircuits() (*Circuits, *fakeTable) {
	f := newFakeTable(circuitName, "")
	return &Circuits{API: f, Table: "circuits", Wait: atOncePause, Now: func() time.Time { return due }}, f
}

func TestCircuits(t *testing.T) {
	t.Parallel()
	store, _ := newCircuits()
	storetest.TestCircuits(t, store)
}

// openState is as large as they get, but for URLs that nobody has.
func openState(version int64) circuit.State {
	url := "https://hooks.customer-1042.test/" + strings.Repeat("x", 100)
	return circuit.State{
		Name:  circuit.Name{Scope: circuit.Endpoint, Tenant: "customer-1042", URL: url},
		Phase: circuit.Open, Version: version, Why: "10 of 20 exchanges within a minute failed or took over 8s", Opened: entered,
		Until: due, Opens: 7, Probe: due,
	}
}

// TestCircuitsExpire: the table's TTL takes closed ones a day after their last
// change; an open one has none.
func TestCircuitsExpire(t *testing.T) {
	t.Parallel()
	store, f := newCircuits()
	s := openState(0)
	for _, phase := range []circuit.Phase{circuit.Closed, circuit.Open, circuit.Closed, "", circuit.Open} {
		s.Version, s.Phase = s.Version+1, phase
		if _, err := store.PutCircuit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		want := ""
		if phase != circuit.Open {
			want = strconv.FormatInt(due.Add(24*time.Hour).Unix(), 10)
		}
		got := ""
		if n, ok := f.items[f.key(circuitKey(s.Key()))][expiresName].(*types.AttributeValueMemberN); ok {
			got = n.Value
		}
		if got != want {
			t.Errorf("%q: it expires at %q, want %q", phase, got, want)
		}
	}
}

// TestWhatCircuitsCost counts what AWS bills.
func TestWhatCircuitsCost(t *testing.T) {
	t.Parallel()
	store, f := newCircuits()
	s := openState(1)
	host := circuit.Name{Scope: circuit.Host, URL: "https://hooks.customer-1042.test"}
	for name, c := range map[string]struct {
		do            func() error
		reads, writes float64
		requests      int
	}{
		"reading of an endpoint and its host": {func() error {
			_, err := store.Circuits(t.Context(), []circuit.Name{s.Name, host})
			return err
		}, 1, 0, 1},
		"reading of one as it is now": {func() error {
			_, err := store.KeptCircuits(t.Context(), []string{s.Key()})
			return err
		}, 1, 0, 1},
		"changing": {func() error { _, err := store.PutCircuit(t.Context(), s); return err }, 0, 1, 1},
		"changing what another has changed": {func() error {
			other := openState(3)
			other.URL += "/2"
			if _, err := store.PutCircuit(t.Context(), other); !errors.Is(err, circuit.ErrChanged) {
				return errors.Join(errors.New("it is kept"), err)
			}
			return nil
		}, 0, 1, 1},
	} {
		reads, writes, requests := f.reads, f.writes, f.requests["PutItem"]+f.requests["BatchGetItem"]
		err := c.do()
		reads, writes, requests = f.reads-reads, f.writes-writes, f.requests["PutItem"]+f.requests["BatchGetItem"]-requests
		if err != nil || reads != c.reads || writes != c.writes || requests != c.requests {
			t.Errorf("%s: %v read and %v write units in %d requests, %v", name, reads, writes, requests, err)
		}
	}
}

// TestCircuitFaults: what fails says so, and names the table. Of a change that
// failed but persisted the same one, made again, finds itself.
func TestCircuitFaults(t *testing.T) {
	t.Parallel()
	s := openState(1)
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Circuits) error
	}{
		{"read", "BatchGetItem", func(ctx context.Context, c *Circuits) error {
			_, err := c.Circuits(ctx, []circuit.Name{s.Name})
			return err
		}},
		{"read by key", "BatchGetItem", func(ctx context.Context, c *Circuits) error {
			_, err := c.KeptCircuits(ctx, []string{s.Key()})
			return err
		}},
		{"page", "Scan", func(ctx context.Context, c *Circuits) error { _, _, err := c.PageCircuits(ctx, "", 10); return err }},
		{"change", "PutItem", func(ctx context.Context, c *Circuits) error {
			now, err := c.PutCircuit(ctx, s)
			if errors.Is(err, circuit.ErrChanged) && now == s {
				return nil
			}
			return err
		}},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			store, f := newCircuits()
			f.fault = func(request string, _ any) (before, after error) {
				switch {
				case request != c.request:
					return nil, nil
				case persists:
					return nil, errDown
				}
				return errDown, nil
			}
			if err := c.do(t.Context(), store); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table circuits") {
				t.Errorf("%s/%s: got %v", c.name, name, err)
			}
			f.fault = nil
			if err := c.do(t.Context(), store); err != nil {
				t.Errorf("%s/%s, again: %v", c.name, name, err)
			}
		}
	}
}

// TestCircuitsThatCannotBeRead: nothing is given out in part, and nothing is
// taken for what it is not.
func TestCircuitsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]types.AttributeValue{"none": nil, "no JSON": &types.AttributeValueMemberS{Value: `{"url":"x"`}} {
		store, f := newCircuits()
		good, bad := openState(1), openState(1)
		bad.URL += "/2"
		for _, s := range []circuit.State{good, bad} {
			if _, err := store.PutCircuit(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		item := f.items[f.key(circuitKey(bad.Key()))]
		if delete(item, stateName); state != nil {
			item[stateName] = state
		}
		for call, do := range map[string]func() ([]circuit.State, error){
			"Circuits": func() ([]circuit.State, error) {
				return store.Circuits(t.Context(), []circuit.Name{good.Name, bad.Name})
			},
			"PageCircuits": func() ([]circuit.State, error) {
				states, _, err := store.PageCircuits(t.Context(), "", 10)
				return states, err
			},
			"PutCircuit": func() ([]circuit.State, error) {
				now, err := store.PutCircuit(t.Context(), bad)
				if errors.Is(err, circuit.ErrChanged) || now != (circuit.State{}) {
					return []circuit.State{now}, err
				}
				return nil, err
			},
		} {
			if states, err := do(); err == nil || len(states) > 0 || !strings.Contains(err.Error(), "table circuits") {
				t.Errorf("%s, %s: %+v, %v", name, call, states, err)
			}
		}
	}
}
