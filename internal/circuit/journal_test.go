package circuit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// desk is the ledger and its redactors.
type desk struct {
	counts  []string
	entries []ledger.Entry
	err     error
}

func (d *desk) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	d.entries = append(d.entries, entries...)
	return d.err
}

func (d *desk) Record(events []metric.Event) {
	for _, e := range events {
		d.counts = append(d.counts, e.Phase)
	}
}

func (*desk) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("key"), false)
}

// TestJournal: of a change there is one line, one count and one entry; where the
// ledger can't be told there are the others.
func TestJournal(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("injected fault")} {
		d, log := &desk{err: err}, &strings.Builder{}
		j := &Journal{Audit: d, Redactors: d, Actor: "efferent:deliver", Metrics: d,
			Log: slog.New(slog.NewTextHandler(log, nil))}
		opened := saw(5, 5, 5)(State{Name: hook, Version: 3}, noon)
		j.Changed(t.Context(), State{}, opened)
		j.Changed(t.Context(), opened, closes(opened, noon.Add(time.Minute)))
		if !slices.Equal(d.counts, []string{"open", "closed"}) || strings.Count(log.String(), "https://a.test/in") != 2 {
			t.Errorf("%v: counted %v; logged:\n%s", err, d.counts, log)
		}
		url := (*desk)(nil).Redactor(t.Context(), noon).URL(hook.URL)
		want := []ledger.Entry{
			{Action: ledger.CircuitOpened, Actor: "efferent:deliver", ID: hook.Key() + "#3", Tenant: "acme", Timestamp: noon, Resource: url},
			{Action: ledger.CircuitClosed, Actor: "efferent:deliver", ID: hook.Key() + "#3", Tenant: "acme", Timestamp: noon.Add(time.Minute),
				Resource: url},
		}
		if diff := cmp.Diff(want, d.entries); diff != "" {
			t.Errorf("%v: (-want +got):\n%s", err, diff)
		}
		if strings.Contains(log.String(), "injected") != (err != nil) {
			t.Errorf("%v: logged:\n%s", err, log)
		}
	}
}
