package awssqs

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/efferent/efferent/internal/outcome"
)

// TestOutcomes: ten a request, and what is refused is tried again, alone.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := outcome.Event{Kind: outcome.Failed, ID: "out_1", Tenant: "a b", Subject: "evt_1", Time: time.Now()}
		refused := outcome.Event{Kind: outcome.Failing, ID: "out_2", Subject: "ep_1", Time: time.Now()}
		body, err := refused.JSON()
		if err != nil {
			t.Fatal(err)
		}
		b := &batchSends{refuse: string(body)}
		o := &Outcomes{API: b, URL: "https://q/outcomes"}
		err = o.Tell(t.Context(), []outcome.Event{e, e, refused, e, e, e, e, e, e, e, e})
		if err == nil || !strings.Contains(err.Error(), "https://q/outcomes: 1 outcomes were refused, the first by InternalError") {
			t.Errorf("got %v", err)
		}
		var sizes []int
		for _, r := range b.requests {
			sizes = append(sizes, len(r.Entries))
		}
		if !slices.Equal(sizes, []int{10, 1, 1, 1}) || *b.requests[1].Entries[0].MessageBody != b.refuse {
			t.Errorf("requests of %v", sizes)
		}
		if m := b.requests[0].Entries[0]; m.MessageGroupId != nil || !strings.Contains(*m.MessageBody, `"specversion":"1.0"`) {
			t.Errorf("sent %+v", m)
		}
		b = &batchSends{fail: *b.requests[0].Entries[0].MessageBody}
		if err := (&Outcomes{API: b, URL: "u"}).Tell(t.Context(), []outcome.Event{e}); err == nil || len(b.requests) != 1 {
			t.Errorf("%v after %d requests", err, len(b.requests))
		}
	})
}

// TestOutcomesToOtherQueues: a FIFO queue has a tenant's in order, each once; and that
// of events has them as somebody's.
func TestOutcomesToOtherQueues(t *testing.T) {
	t.Parallel()
	e := outcome.Event{Kind: outcome.Failed, ID: "out_1", Tenant: "a b", Subject: "evt_1"}
	for name, c := range map[string]struct{ url, tenant, group, dedup, begins string }{
		"FIFO":   {"u.fifo", "", "tenant-" + outcome.Hash("a b"), "out_1", `{"specversion":"1.0","id":"out_1"`},
		"events": {"u", "ops", "ops", "", `{"id":"out_1","tenant":"ops","event_type":"delivery.failed","body":{"specversion":"1.0"`},
	} {
		b := &batchSends{}
		if err := (&Outcomes{API: b, URL: c.url, Tenant: c.tenant}).Tell(t.Context(), []outcome.Event{e}); err != nil {
			t.Fatal(err)
		}
		m := b.requests[0].Entries[0]
		if aws.ToString(m.MessageGroupId) != c.group || aws.ToString(m.MessageDeduplicationId) != c.dedup ||
			!strings.HasPrefix(*m.MessageBody, c.begins) {
			t.Errorf("%s: sent %s, group %s, deduplicated by %s", name, *m.MessageBody, aws.ToString(m.MessageGroupId),
				aws.ToString(m.MessageDeduplicationId))
		}
	}
}
