package awsdynamodb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/storetest"
)

func newRecipients() (*Recipients, *fakeTable) {
	f := newFakeTable(partName, nameName)
	return &Recipients{API: f, Table: "directory", Wait: atOncePause}, f
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	store, _ := newRecipients()
	storetest.TestRecipients(t, store)
}

// ann is a recipient as most are.
func ann(version int64) recipient.Recipient {
	return recipient.Recipient{ID: "user_7", Tenant: "acme", Addresses: map[channel.Name]recipient.Addresses{channel.Email: {"ann@acme.test"}},
		Created: due, Updated: due, Version: version}
}

// TestWhatRecipientsCost counts what AWS bills.
func TestWhatRecipientsCost(t *testing.T) {
	t.Parallel()
	store, f := newRecipients()
	first, second := ann(1), ann(2)
	for _, c := range []struct {
		name          string
		do            func() error
		reads, writes float64
	}{
		{"making", func() error { return store.PutRecipient(t.Context(), first, 0) }, 0, 1},
		{"changing", func() error { return store.PutRecipient(t.Context(), second, 1) }, 0, 1},
		{"reading one", func() error { _, err := store.Recipients(t.Context(), []recipient.Key{first.Key()}); return err }, 1, 0},
		{"listing", func() error { _, err := store.ListRecipients(t.Context(), "acme", "", 50); return err }, 1, 0},
		{"removing", func() error { return store.DeleteRecipient(t.Context(), first.Key(), 2) }, 0, 1},
	} {
		reads, writes := f.reads, f.writes
		if err := c.do(); err != nil || f.reads-reads != c.reads || f.writes-writes != c.writes {
			t.Errorf("%s: %v read and %v write units, %v; want %v and %v", c.name, f.reads-reads, f.writes-writes, err, c.reads, c.writes)
		}
	}
}

// TestRecipientFaults: what fails says so, and names the table and no address. What
// failed but persisted is found when it is made again.
func TestRecipientFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Recipients) error
		again         error
	}{
		{"read", "BatchGetItem", func(ctx context.Context, s *Recipients) error {
			_, err := s.Recipients(ctx, []recipient.Key{{Tenant: "acme", ID: "user_7"}})
			return err
		}, nil},
		{"list", "Query", func(ctx context.Context, s *Recipients) error {
			_, err := s.ListRecipients(ctx, "acme", "", 9)
			return err
		}, nil},
		{"change", "PutItem", func(ctx context.Context, s *Recipients) error { return s.PutRecipient(ctx, ann(2), 1) }, recipient.ErrChanged},
		{"remove", "DeleteItem", func(ctx context.Context, s *Recipients) error {
			return s.DeleteRecipient(ctx, recipient.Key{Tenant: "acme", ID: "user_7"}, 1)
		}, recipient.ErrChanged},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			store, f := newRecipients()
			if err := store.PutRecipient(t.Context(), ann(1), 0); err != nil {
				t.Fatal(err)
			}
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
			if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table directory") || strings.Contains(err.Error(), "@") {
				t.Errorf("%s/%s: got %v", c.name, name, err)
			}
			f.fault = nil
			want := c.again
			if !persists {
				want = nil
			}
			if err := c.do(t.Context(), store); !errors.Is(err, want) {
				t.Errorf("%s/%s, again: %v, want %v", c.name, name, err, want)
			}
		}
	}
}

// TestRecipientsThatCannotBeRead: nothing is taken for what it is not.
func TestRecipientsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(item){
		"no text": func(i item) { delete(i, recipientKind) },
		"no JSON": func(i item) { i[recipientKind] = &types.AttributeValueMemberS{Value: "{"} },
	} {
		store, f := newRecipients()
		if err := store.PutRecipient(t.Context(), ann(1), 0); err != nil {
			t.Fatal(err)
		}
		spoil(f.items[f.key(directoryKey(recipientKind, "acme", "user_7"))])
		if all, err := store.Recipients(t.Context(), []recipient.Key{{Tenant: "acme", ID: "user_7"}}); err == nil ||
			!strings.Contains(err.Error(), "table directory") {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
}
