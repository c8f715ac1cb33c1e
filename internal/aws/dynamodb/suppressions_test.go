package awsdynamodb

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
)

func newSuppressions() (*Suppressions, *fakeTable) {
	f := newFakeTable(partName, nameName)
	return &Suppressions{API: f, Table: "directory", Wait: atOncePause}, f
}

func TestSuppressions(t *testing.T) {
	t.Parallel()
	store, _ := newSuppressions()
	storetest.TestSuppressions(t, store)
}

func stopOf(address string) suppression.Entry {
	e, err := suppression.New("acme", channel.SMS, address, suppression.Stop, due)
	if err != nil {
		panic(err)
	}
	return e
}

// TestWhatSuppressionsCost: a read unit for each address that is looked for, there or
// not, and a write unit for each change.
func TestWhatSuppressionsCost(t *testing.T) {
	t.Parallel()
	store, f := newSuppressions()
	e := stopOf("+46701234567")
	e.Source, e.Note = strings.Repeat("s", suppression.MaxSource), strings.Repeat("n", 300)
	keys := []suppression.Key{e.Key(), e.Key(), stopOf("+46701234568").Key()}
	for _, c := range []struct {
		name          string
		do            func(context.Context) error
		reads, writes float64
	}{
		{"look", func(ctx context.Context) error { _, err := store.Suppressed(ctx, keys); return err }, 2, 0},
		{"add", func(ctx context.Context) error { _, err := store.AddSuppression(ctx, e); return err }, 0, 1},
		{"look again", func(ctx context.Context) error { _, err := store.Suppressed(ctx, keys); return err }, 2, 0},
		{"add again", func(ctx context.Context) error { _, err := store.AddSuppression(ctx, e); return err }, 0, 1},
		{"lift", func(ctx context.Context) error {
			_, err := store.LiftSuppression(ctx, suppression.Lifting{Key: e.Key(), At: due.Add(time.Hour), Only: suppression.Stop})
			return err
		}, 0, 1},
	} {
		reads, writes := f.reads, f.writes
		if err := c.do(t.Context()); err != nil || f.reads-reads != c.reads || f.writes-writes != c.writes {
			t.Errorf("%s: %v read units, %v write units, %v", c.name, f.reads-reads, f.writes-writes, err)
		}
	}
}

// TestFaultsOfSuppressions: what fails says so, and can be done again.
func TestFaultsOfSuppressions(t *testing.T) {
	t.Parallel()
	e := stopOf("+46701234567")
	for _, c := range []struct {
		request string
		do      func(context.Context, *Suppressions) error
	}{
		{"BatchGetItem", func(ctx context.Context, s *Suppressions) error {
			_, err := s.Suppressed(ctx, []suppression.Key{e.Key()})
			return err
		}},
		{"PutItem", func(ctx context.Context, s *Suppressions) error { _, err := s.AddSuppression(ctx, e); return err }},
		{"PutItem", func(ctx context.Context, s *Suppressions) error {
			_, err := s.LiftSuppression(ctx, suppression.Lifting{Key: e.Key(), At: due})
			return err
		}},
		{"Query", func(ctx context.Context, s *Suppressions) error {
			_, _, err := s.ListSuppressions(ctx, suppression.Page{Tenant: "acme", Limit: 1})
			return err
		}},
	} {
		for _, persists := range []bool{false, true} {
			store, f := newSuppressions()
			f.fault = func(request string, _ any) (before, after error) {
				switch {
				case request != c.request:
					return nil, nil
				case persists:
					return nil, errDown
				}
				return errDown, nil
			}
			err := c.do(t.Context(), store)
			if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table directory") || strings.Contains(err.Error(), e.Address) {
				t.Errorf("%s: got %v", c.request, err)
			}
			f.fault = nil
			if err := c.do(t.Context(), store); err != nil {
				t.Errorf("%s, again: %v", c.request, err)
			}
		}
	}
}

// TestSuppressionsThatCannotBeRead: nobody is written to who is suppressed by what
// can't be read.
func TestSuppressionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	e := stopOf("+46701234567")
	for name, bad := range map[string]types.AttributeValue{"none": nil, "no JSON": &types.AttributeValueMemberS{Value: "{"},
		"a number": number(1)} {
		store, f := newSuppressions()
		if _, err := store.AddSuppression(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for _, item := range f.items {
			if delete(item, entryName); bad != nil {
				item[entryName] = bad
			}
		}
		got, err := store.Suppressed(t.Context(), []suppression.Key{e.Key()})
		if err == nil || !strings.Contains(err.Error(), "table directory") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
