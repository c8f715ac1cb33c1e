package schemas_test

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/schemas"
)

// TestOutcomesAgree: whatever is told is as the schema has it.
func TestOutcomesAgree(t *testing.T) {
	t.Parallel()
	c := theContract(t, "outcome.schema.json", schemas.Outcome, nil, nil)
	now := time.Now()
	var all []outcome.Event
	for _, v := range []attempt.Verdict{attempt.Delivered, attempt.Permanent, attempt.Exhausted} {
		full := attempt.Record{WebhookID: "w", Origin: "o", MessageID: "m", Attempt: 3, At: now, URL: "https://a.test/?q", EventType: "a",
			Tenant: "t", Endpoint: "ep_1", Status: 500, Verdict: v, Reason: "why", Notification: true, Channel: "sms", ProviderID: "p",
			FailedChannels: []string{"email"}}
		reported := full
		reported.Verdict = attempt.Delivered
		for _, state := range []attempt.State{attempt.Arrived, attempt.Bounced, attempt.Complained, attempt.Undelivered} {
			r := reported.With(attempt.Report{State: state, At: now, Reason: "SES: bounce"})
			all = append(all, outcome.OfReport(&r))
		}
		least := attempt.Record{WebhookID: "w", MessageID: "m", Attempt: 1, Verdict: v}
		all = append(all, outcome.OfAttempt(&full), outcome.OfAttempt(&least))
	}
	for _, url := range []string{"https://a.test/", "ep_1"} {
		s := circuit.State{Name: circuit.Name{Scope: circuit.Endpoint, Tenant: "t", URL: url}, Version: 2, Phase: circuit.Open, Until: now}
		opened, _ := transitions.OfCircuit(s, "t", "https://a.test/")
		s.Phase, s.ClosedAt = circuit.Closed, now
		closed, _ := transitions.OfCircuit(s, "", "")
		all = append(all, opened, closed)
	}
	for _, kind := range outcome.All[4:7] {
		all = append(all, outcome.OfEndpoint(kind, now, "ep_1", outcome.Endpoint{
			Tenant: "t", URL: "u", State: "deleted", Changed: []string{"url"}}))
	}
	for _, e := range all {
		b, err := e.JSON()
		if err == nil {
			err = c.bySchema(b)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	}
	if err := c.bySchema([]byte(`{"specversion":"1.0","id":"x"}`)); err == nil {
		t.Error("it takes anything")
	}
}
