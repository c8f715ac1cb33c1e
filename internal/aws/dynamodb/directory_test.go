package awsdynamodb

import (
	"maps"
	"slices"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/template"
)

// TestKindsApart: what a tenant has of one kind is in no list of another kind, and of no
// other tenant, though all of it is in one table.
func TestKindsApart(t *testing.T) {
	t.Parallel()
	recipients, f := newRecipients()
	suppressions := &Suppressions{API: f, Table: "directory", Wait: atOncePause}
	templates := &Templates{API: f, Table: "directory"}
	for _, tenant := range []string{"acme", "", "acme#a"} {
		r := ann(1)
		r.Tenant = tenant
		e, err := suppression.New(tenant, channel.Email, "ann@acme.test", suppression.Bounce, due)
		if err != nil {
			t.Fatal(err)
		}
		h := template.Head{Tenant: tenant, Name: "user_7", Last: 1, Current: 1, Revision: 1, Versions: []template.Kept{{Version: 1}}}
		if err := recipients.PutRecipient(t.Context(), r, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := suppressions.AddSuppression(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := templates.WriteTemplate(t.Context(), h, &template.Template{Tenant: tenant, Name: "user_7", Version: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range []string{"acme", "", "acme#a"} {
		all, err := recipients.ListRecipients(t.Context(), tenant, "", 50)
		if err != nil || len(all) != 1 || all[0].Tenant != tenant {
			t.Errorf("recipients of %q: %+v, %v", tenant, all, err)
		}
		page, _, err := suppressions.ListSuppressions(t.Context(), suppression.Page{Tenant: tenant, Limit: 50})
		if err != nil || len(page) != 1 || page[0].Tenant != tenant {
			t.Errorf("suppressions of %q: %+v, %v", tenant, page, err)
		}
		heads, _, err := templates.TemplateHeads(t.Context(), tenant, "", 50)
		if err != nil || len(heads) != 1 || heads[0].Tenant != tenant {
			t.Errorf("templates of %q: %+v, %v", tenant, heads, err)
		}
	}
	parts := map[string]bool{}
	for _, i := range f.items {
		parts[text(i[partName])] = true
	}
	want := []string{"recipient#", "recipient#acme", "recipient#acme#a", "suppression#", "suppression#acme", "suppression#acme#a"}
	if got := slices.Sorted(maps.Keys(parts)); !slices.Equal(got[:len(want)], want) {
		t.Errorf("the partition keys are %v", got)
	}
	found, err := recipients.Recipients(t.Context(), []recipient.Key{{Tenant: "acme", ID: "template"}})
	if err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestOnlyRegisteredEndpointsAreIndexed: an attempt at any other pays for no index.
func TestOnlyRegisteredEndpointsAreIndexed(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{"": false, "ep_1": true} {
		i, r := item{}, attempt.Record{WebhookID: "evt_1", MessageID: "m", Attempt: 1, At: due, Endpoint: endpoint}
		indexEndpoint(i, r)
		if (len(i) == 2) != want {
			t.Errorf("%q: %v", endpoint, i)
		}
		if want && (text(i[sentToName]) != shardKey("ep_1", shardOf("m")) || text(i[sentAtName]) != string(r.Position())) {
			t.Errorf("%q: it is found by %v", endpoint, i)
		}
	}
}
