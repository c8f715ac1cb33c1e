package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
)

// TestWayOf: which way a notification went is told in words, each channel once.
func TestWayOf(t *testing.T) {
	t.Parallel()
	of := func(on, class string, status int, reason string, failed ...string) attempt.Record {
		return attempt.Record{Notification: true, At: noon, Channel: on, Class: class, Status: status, Reason: reason, FailedChannels: failed,
			Verdict: attempt.Retryable}
	}
	gone, busy := of("email", "permanent", 550, "no such mailbox", "email"), of("slack", "transient", 503, "service_unavailable", "email")
	sent := of("slack", "", 0, "", "email")
	sent.Verdict, sent.Recipient, sent.ProviderID, sent.Held = attempt.Delivered, "C0123", "C0123/17.1", "limit=72,trouble=60"
	sent.To, sent.Topic, sent.Template = "user_7", "invoice", "invoice-paid@3"
	unsent := of("slack", "configuration", 0, "no_service", "email", "slack")
	unsent.Verdict = attempt.Permanent
	refused := of("", "permanent", 0, "the tenant \"acme\" has no recipient \"user_9\"")
	refused.Verdict = attempt.Permanent
	bounced := of("email", "", 0, "")
	bounced.Verdict = attempt.Delivered
	bounced = bounced.With(attempt.Report{State: attempt.Bounced, Reason: "SES: bounce, Permanent/General"})
	came := of("slack", "", 0, "", "email").With(attempt.Report{State: attempt.Arrived})
	came.Verdict = attempt.Delivered
	wasLeft := "email was left, as it will never take this for this recipient (550): no such mailbox"
	for name, c := range map[string]struct {
		of   []attempt.Record
		want []string
	}{
		"a webhook":  {[]attempt.Record{{Verdict: attempt.Delivered}}, nil},
		"on the way": {[]attempt.Record{gone, busy}, []string{wasLeft}},
		"sent": {[]attempt.Record{gone, busy, sent}, []string{"for user_7, about invoice, made of the template invoice-paid@3", wasLeft,
			"slack took it at " + timeText(noon) + ", and calls it C0123/17.1; it was held for 1m12s for its turn at the " +
				"provider's pace; it was held for 1m0s by trouble of Efferent's own"}},
		"not sent": {[]attempt.Record{gone, unsent}, []string{wasLeft,
			"slack was left, as it can't be used until an operator mends it: no_service", "not sent"}},
		"came back": {[]attempt.Record{bounced, came}, []string{
			"email was left, as it was reported as bounced: SES: bounce, Permanent/General",
			"slack took it at " + timeText(noon) + "; it was reported as delivered"}},
		"came back from the last": {[]attempt.Record{bounced}, []string{
			"email took it at " + timeText(noon) + "; it was reported as bounced: SES: bounce, Permanent/General"}},
		"to nobody": {[]attempt.Record{refused}, []string{"not sent: the tenant \"acme\" has no recipient \"user_9\""}},
	} {
		if diff := cmp.Diff(c.want, wayOf(c.of)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
