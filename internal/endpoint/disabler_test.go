package endpoint_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/storetest"
)

// world are endpoints that a Disabler changes, with faults.
type world struct {
	storetest.Memory
	changes   int // by others, before an update
	updateErr error
	kept      bool // what failed to be updated was
	auditErr  error
	entries   []ledger.Entry
	readErr   error
	told      []outcome.Event
	counted   []metric.Event
}

func (w *world) Endpoints(ctx context.Context, ids []string) ([]endpoint.Endpoint, error) {
	if w.readErr != nil {
		return nil, w.readErr
	}
	return w.Memory.Endpoints(ctx, ids)
}

func (w *world) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	if w.changes > 0 {
		w.changes--
		other, _ := w.Endpoints(ctx, []string{e.ID})
		other[0].Version++
		_ = w.Memory.UpdateEndpoint(ctx, other[0])
	}
	if w.updateErr != nil && !w.kept {
		return w.updateErr
	}
	return errors.Join(w.Memory.UpdateEndpoint(ctx, e), w.updateErr)
}

func (w *world) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	if w.auditErr == nil {
		w.entries = append(w.entries, entries...)
	}
	return w.auditErr
}

func (w *world) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("key"), false)
}

// TestDisable: what is enabled is disabled, whatever others change meanwhile, and the
// ledger knows before.
func TestDisable(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	is := func(s endpoint.State) func(*endpoint.Endpoint, *world) {
		return func(e *endpoint.Endpoint, _ *world) { e.State, e.Why = s, "as it was" }
	}
	for name, c := range map[string]struct {
		setup   func(*endpoint.Endpoint, *world)
		err     error
		want    endpoint.State
		why     string
		entries int
	}{
		"enabled":                {is(endpoint.Enabled), nil, endpoint.Disabled, "gone", 1},
		"paused":                 {is(endpoint.Paused), nil, endpoint.Paused, "as it was", 0},
		"disabled":               {is(endpoint.Disabled), nil, endpoint.Disabled, "as it was", 0},
		"deleted":                {func(e *endpoint.Endpoint, _ *world) { e.ID = "ep_2" }, nil, "", "", 0},
		"enabled since":          {func(e *endpoint.Endpoint, _ *world) { e.Since = noon.Add(1) }, nil, endpoint.Enabled, "", 0},
		"changed meanwhile":      {func(_ *endpoint.Endpoint, w *world) { w.changes = 2 }, nil, endpoint.Disabled, "gone", 3},
		"changed all the time":   {func(_ *endpoint.Endpoint, w *world) { w.changes = 9 }, endpoint.ErrChanged, endpoint.Enabled, "", 4},
		"the ledger is not told": {func(_ *endpoint.Endpoint, w *world) { w.auditErr = errDown }, errDown, endpoint.Enabled, "", 0},
		"it can't be kept":       {func(_ *endpoint.Endpoint, w *world) { w.updateErr = errDown }, errDown, endpoint.Enabled, "", 1},
		"failed, and is kept": {func(_ *endpoint.Endpoint, w *world) { w.updateErr, w.kept = errDown, true },
			errDown, endpoint.Disabled, "gone", 1},
		"by who fails since then": {is(endpoint.Enabled), nil, endpoint.Disabled, "gone", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			e := endpoint.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://a.test/in", State: endpoint.Enabled, Version: 1, Updated: noon}
			c.setup(&e, w)
			if err := w.CreateEndpoint(t.Context(), e, 5); err != nil {
				t.Fatal(err)
			}
			now := noon.Add(time.Hour)
			d := &endpoint.Disabler{Store: w, Audit: w, Redactors: w, Actor: "test", Now: func() time.Time { return now },
				Log: slog.New(slog.DiscardHandler)}
			if err := d.Disable(t.Context(), "ep_1", "gone", noon); !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("%v, want %v", err, c.err)
			}
			var after endpoint.Endpoint
			if found, _ := w.Endpoints(t.Context(), []string{"ep_1"}); len(found) > 0 {
				after = found[0]
			}
			if after.State != c.want || after.Why != c.why || len(w.entries) != c.entries {
				t.Errorf("it is %+v, and the ledger has %d", after, len(w.entries))
			}
			if after.Why == "gone" && !after.Since.Equal(now) {
				t.Errorf("since %v", after.Since)
			}
		})
	}
}

func (w *world) Tell(_ context.Context, events []outcome.Event) error {
	w.told = append(w.told, events...)
	return nil
}

func (w *world) Record(events []metric.Event) { w.counted = append(w.counted, events...) }

// TestDisablerTells: producers hear of a warning and of the end once each, with why; of
// what was not kept, of who is there no more, and of who can't be read they hear nothing.
func TestDisablerTells(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	const warned = "endpoint.failing it took nothing since 2026-11-26 12:00 UTC, and will be disabled at 2026-12-01 12:00 UTC"
	for name, c := range map[string]struct {
		overdue bool
		setup   func(*world)
		want    string
	}{
		"a warning":          {false, func(*world) {}, warned},
		"the end":            {true, func(*world) {}, "endpoint.disabled it took nothing since 2026-11-26 12:00 UTC"},
		"that is not kept":   {true, func(w *world) { w.updateErr = errDown }, ""},
		"deleted meanwhile":  {true, func(w *world) { w.updateErr = endpoint.ErrNotFound }, ""},
		"nobody to warn of":  {false, func(w *world) { w.Memory = storetest.Memory{} }, ""},
		"nobody to disable":  {true, func(w *world) { w.Memory = storetest.Memory{} }, ""},
		"it can't be read":   {true, func(w *world) { w.readErr = errDown }, ""},
		"to warn it neither": {false, func(w *world) { w.readErr = errDown }, ""},
	} {
		w := &world{}
		if err := w.CreateEndpoint(t.Context(), endpoint.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://a.test/in?key=hidden",
			State: endpoint.Enabled, Version: 1, Updated: noon}, 5); err != nil {
			t.Fatal(err)
		}
		c.setup(w)
		d := &endpoint.Disabler{Store: w, Audit: w, Redactors: w, Actor: "test", Limit: 5 * 24 * time.Hour, Metrics: w,
			Outcomes: &outcome.Teller{Sink: w, Kinds: outcome.Kinds{outcome.Failing: true, outcome.Disabled: true}},
			Now:      func() time.Time { return noon.Add(time.Hour) }, Log: slog.New(slog.DiscardHandler)}
		d.Failing(t.Context(), circuit.State{Name: endpoint.Circuit("ep_1"), Failing: noon}, c.overdue)
		got := ""
		for _, e := range w.told {
			data, _ := e.Data.(outcome.Endpoint)
			got += string(e.Kind) + " " + data.Reason
			if data.Tenant != "acme" || data.Endpoint != "ep_1" || data.URL != "https://a.test/in" || data.State == "" || data.Version < 1 {
				t.Errorf("%s: told %+v", name, data)
			}
		}
		counts := 0
		for _, e := range w.counted {
			if e.Name == metric.EndpointsFailing && e.Labels.Action != "" {
				counts++
			}
		}
		if got != c.want || counts != len(w.told) {
			t.Errorf("%s: told %q, counted %d", name, got, counts)
		}
		for _, e := range w.entries {
			if e.ID != "ep_1#2" || e.Tenant != "acme" || !strings.HasPrefix(e.Resource, "endpoint=ep_1, url=https://a.test/") ||
				strings.Contains(e.Resource, "hidden") {
				t.Errorf("%s: the ledger has %+v", name, e)
			}
		}
	}
}

// TestFailingEndpoints: an overdue one is disabled, and says since when it fails; of
// others it is only warned.
func TestFailingEndpoints(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	w := &world{}
	if err := w.CreateEndpoint(t.Context(), endpoint.Endpoint{ID: "ep_1", State: endpoint.Enabled, Version: 1, Updated: noon}, 5); err != nil {
		t.Fatal(err)
	}
	d := &endpoint.Disabler{Store: w, Audit: w, Redactors: w, Actor: "test", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	state := func() endpoint.Endpoint {
		found, _ := w.Endpoints(t.Context(), []string{"ep_1"})
		return found[0]
	}
	s := circuit.State{Name: endpoint.Circuit("ep_1"), Failing: noon}
	for _, overdue := range []bool{false, true} {
		d.Failing(t.Context(), s, overdue)
		if e := state(); (e.State == endpoint.Disabled) != overdue || overdue && e.Why != "it took nothing since 2026-11-26 12:00 UTC" {
			t.Errorf("overdue %v: %+v", overdue, e)
		}
	}
}
