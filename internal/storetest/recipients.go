package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/recipient"
)

// TestRecipients runs the suite of what recipient.Store promises. The store may be shared
// by all of its tests: each has a tenant of its own.
func TestRecipients(t *testing.T, store recipient.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, recipientsOf){
		"nothing is there at first": recipientsNone,
		"every field comes back":    recipientsFields,
		"version by version":        recipientsVersions,
		"one of many at once":       recipientsAtOnce,
		"removed, and made again":   recipientsMadeAgain,
		"tenants apart":             recipientsApart,
		"page by page":              recipientsPages,
		"more than one request":     recipientsMany,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, recipientsOf{store, uuid.NewString()})
		})
	}
	t.Run("who has no tenant", func(t *testing.T) {
		t.Parallel()
		s := recipientsOf{store, ""}
		r := s.put(t, s.recipient(uuid.NewString(), 1))
		s.want(t, []string{r.ID}, r)
		recipientsOf{store, "-"}.want(t, []string{r.ID})
	})
}

// recipientsOf is the store as one test sees it.
type recipientsOf struct {
	recipient.Store
	tenant string
}

func (s recipientsOf) recipient(id string, version int64) recipient.Recipient {
	return recipient.Recipient{
		ID: id, Tenant: s.tenant, Created: storedAt, Updated: storedAt.Add(time.Hour), Version: version,
		Addresses: map[channel.Name]recipient.Addresses{channel.Email: {"ann@acme.test", "ann@home.test"}, channel.SMS: {"+46701234567"}},
		Channels:  []channel.Name{channel.SMS, channel.Email},
		Topics: map[string]recipient.Topic{"marketing.*": {OptedOut: true}, "marketing.weekly": {},
			"invoice": {Channels: []channel.Name{channel.Email}}},
	}
}

func (s recipientsOf) put(t *testing.T, r recipient.Recipient) recipient.Recipient {
	t.Helper()
	if err := s.PutRecipient(t.Context(), r, r.Version-1); err != nil {
		t.Fatal(err)
	}
	return r
}

func (s recipientsOf) keys(ids []string) (keys []recipient.Key) {
	for _, id := range ids {
		keys = append(keys, recipient.Key{Tenant: s.tenant, ID: id})
	}
	return keys
}

// want looks for what is kept under ids.
func (s recipientsOf) want(t *testing.T, ids []string, want ...recipient.Recipient) {
	t.Helper()
	got, err := s.Recipients(t.Context(), s.keys(ids))
	byID := cmpopts.SortSlices(func(a, b recipient.Recipient) bool { return a.ID < b.ID })
	if diff := gocmp.Diff(want, got, byID, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func (s recipientsOf) changed(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if !errors.Is(err, recipient.ErrChanged) {
			t.Errorf("%d: %v, want %v", i, err, recipient.ErrChanged)
		}
	}
}

func recipientsNone(t *testing.T, s recipientsOf) {
	s.want(t, nil)
	s.want(t, []string{"user_7"})
	s.changed(t, s.PutRecipient(t.Context(), s.recipient("user_7", 2), 1), s.DeleteRecipient(t.Context(), s.keys([]string{"user_7"})[0], 1))
	if all, err := s.ListRecipients(t.Context(), s.tenant, "", 10); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func recipientsFields(t *testing.T, s recipientsOf) {
	r := s.put(t, s.recipient("user_7", 1))
	least := s.put(t, recipient.Recipient{ID: "User_7", Tenant: s.tenant, Version: 1})
	s.want(t, []string{r.ID, least.ID, r.ID, "user_"}, r, least)
}

func recipientsVersions(t *testing.T, s recipientsOf) {
	r := s.put(t, s.recipient("user_7", 1))
	s.changed(t, s.PutRecipient(t.Context(), r, 0))
	next := s.recipient("user_7", 2)
	next.Topics, next.Addresses = nil, nil
	s.put(t, next)
	s.want(t, []string{"user_7"}, next)
	s.changed(t, s.PutRecipient(t.Context(), next, 1), s.PutRecipient(t.Context(), s.recipient("user_7", 4), 3),
		s.DeleteRecipient(t.Context(), r.Key(), 1), s.DeleteRecipient(t.Context(), r.Key(), 3))
	s.want(t, []string{"user_7"}, next)
	if err := s.DeleteRecipient(t.Context(), r.Key(), 2); err != nil {
		t.Fatal(err)
	}
	s.want(t, []string{"user_7"})
	s.changed(t, s.DeleteRecipient(t.Context(), r.Key(), 2))
	s.put(t, r)
	s.want(t, []string{"user_7"}, r)
}

// recipientsMadeAgain: who is made begins at any version, and what was meant for one who
// was removed is not done to another under their id.
func recipientsMadeAgain(t *testing.T, s recipientsOf) {
	const first, again = 1 << 40, 1<<52 + 7
	put := func(version int64) recipient.Recipient {
		t.Helper()
		r := s.recipient("user_7", version)
		if err := s.PutRecipient(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := put(first)
	if err := s.DeleteRecipient(t.Context(), r.Key(), first); err != nil {
		t.Fatal(err)
	}
	other := put(again)
	s.changed(t, s.PutRecipient(t.Context(), s.recipient("user_7", first+1), first), s.DeleteRecipient(t.Context(), r.Key(), first),
		s.PutRecipient(t.Context(), s.recipient("user_7", 3), 0))
	s.want(t, []string{"user_7"}, other)
	next := s.recipient("user_7", again+1)
	if err := s.PutRecipient(t.Context(), next, again); err != nil {
		t.Fatal(err)
	}
	s.want(t, []string{"user_7"}, next)
}

func recipientsAtOnce(t *testing.T, s recipientsOf) {
	r := s.put(t, s.recipient("user_7", 1))
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []recipient.Recipient
	for n := range 8 {
		all.Go(func() {
			next := s.recipient(r.ID, 2)
			next.Addresses = map[channel.Name]recipient.Addresses{channel.Email: {fmt.Sprintf("%d@acme.test", n)}}
			switch err := s.PutRecipient(t.Context(), next, 1); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				made = append(made, next)
			case !errors.Is(err, recipient.ErrChanged):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("%d writes were made", len(made))
	}
	s.want(t, []string{r.ID}, made...)
}

func recipientsApart(t *testing.T, s recipientsOf) {
	mine := s.put(t, s.recipient("user_7", 1))
	other := recipientsOf{s.Store, uuid.NewString()}
	other.want(t, []string{"user_7"})
	theirs := other.recipient("user_7", 1)
	theirs.Channels = nil
	other.put(t, theirs)
	s.want(t, []string{"user_7"}, mine)
	if all, err := s.ListRecipients(t.Context(), other.tenant, "", 10); err != nil || gocmp.Diff(all, []recipient.Recipient{theirs}) != "" {
		t.Errorf("%v, %v", all, err)
	}
	if err := s.DeleteRecipient(t.Context(), theirs.Key(), 1); err != nil {
		t.Error(err)
	}
	s.want(t, []string{"user_7"}, mine)
}

func recipientsPages(t *testing.T, s recipientsOf) {
	var want []recipient.Recipient
	for _, id := range []string{"A", "Z", "_", "a", "a.b", "a@b", "b"} {
		want = append(want, s.put(t, s.recipient(id, 1)))
	}
	var got []recipient.Recipient
	for after := ""; ; after = got[len(got)-1].ID {
		page, err := s.ListRecipients(t.Context(), s.tenant, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, page...); len(page) < 3 {
			break
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func recipientsMany(t *testing.T, s recipientsOf) {
	const many = 120 // BatchGetItem takes 100
	var ids []string
	var want []recipient.Recipient
	for i := range many {
		r := s.put(t, s.recipient(fmt.Sprintf("user_%03d", i), 1))
		ids, want = append(ids, r.ID), append(want, r)
	}
	s.want(t, ids, want...)
	if all, err := s.ListRecipients(t.Context(), s.tenant, "", many+1); err != nil || gocmp.Diff(want, all) != "" {
		t.Errorf("%d are listed, %v", len(all), err)
	}
}
