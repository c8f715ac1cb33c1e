package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

// follow does what follows from a report that is kept, and says that it is done.
func (i *item) follow(ctx context.Context, record attempt.Record, r report.Report) {
	next := "" // for the log
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the suppression list can't be written", func() error { return i.suppress(ctx, record, r) }},
		{"the audit queue can't be written", func() error { return i.Audit.Append(ctx, i.msg.MessageId, []ledger.Entry{i.entry(ctx, record)}) }},
		{"producers can't be told", func() error { return i.tell(ctx, &record) }},
		{"the next channel's message can't be sent", func() (err error) { next, err = i.goOn(ctx, record, r); return err }},
		{"the report can't be kept as done", func() error { return i.settle(ctx, record) }},
	} {
		if err := step.do(); err != nil {
			i.again(step.what, "notification_id", record.WebhookID, "error", err)
			return
		}
	}
	i.done = true
	i.count(metric.Reports, metric.Labels{Channel: record.Channel, Verdict: string(record.State)})
	i.Log.InfoContext(ctx, "reported", "notification_id", record.WebhookID, "message_id", record.MessageID, "attempt", record.Attempt,
		"channel", record.Channel, "provider_id", record.ProviderID, "state", record.State,
		"reason", record.Report.Reason, "next", next)
}

// suppress puts those on the list who can't be reached, or want no more. Of a complaint
// that may be any of several's nobody is put there.
func (i *item) suppress(ctx context.Context, record attempt.Record, r report.Report) error {
	var reason suppression.Reason
	switch {
	case r.State == attempt.Complained && len(r.Recipients) == 1:
		reason = suppression.Complaint
	case r.State == attempt.Bounced && r.Hard:
		reason = suppression.Bounce
	case r.Provider == report.Twilio && r.OptedOut:
		reason = suppression.Stop
	default:
		return nil
	}
	tenant := record.Tenant
	if reason == suppression.Stop { // said to the number, by which all tenants send
		tenant = ""
	}
	who := r.Recipients
	if len(who) == 0 || r.All <= 1 { // a server that forwards names another address than it was sent to
		who = []string{channel.Bare(record.Recipient)}
	}
	for _, address := range slices.Compact(slices.Sorted(slices.Values(who))) {
		e, err := suppression.New(tenant, channel.Name(record.Channel), address, reason, i.at(r))
		if err != nil {
			i.Log.WarnContext(ctx, "a recipient that a report names is no address", "notification_id", record.WebhookID, "error", err)
			continue
		}
		e.Source = message.Shorten(record.ProviderID, suppression.MaxSource)
		if _, err := i.Suppressions.AddSuppression(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// entry is the ledger's: an attempt's outcome by the provider's report.
func (i *item) entry(ctx context.Context, r attempt.Record) ledger.Entry {
	at := i.Now()
	return ledger.Entry{
		Action: ledger.Reported(string(r.State)), Actor: "efferent:report", Attempt: r.Attempt, FailedChannels: r.FailedChannels,
		ID: fmt.Sprintf("%s#%d", r.MessageID, r.Attempt), MessageID: r.MessageID, Tenant: r.Tenant, Timestamp: at, WebhookID: r.WebhookID,
		Resource: i.Redactors.Redactor(ctx, at).OnChannel(r.Channel, []string{r.Recipient}, ""),
	}
}

// tell tells producers, where they want to know.
func (i *item) tell(ctx context.Context, r *attempt.Record) error {
	if i.Outcomes == nil || outcome.IsID(r.WebhookID) {
		return nil
	}
	return i.Outcomes.Tell(ctx, outcome.OfReport(r))
}

// goOn sends the message to its next channel, where it has come back in time and there
// is one, and says what became of that.
func (i *item) goOn(ctx context.Context, record attempt.Record, r report.Report) (became string, err error) {
	if !record.Returned() {
		return "", nil
	}
	packed, err := i.Messages.Onward(ctx, record.WebhookID, record.SortKey())
	if err != nil || packed == nil {
		return "none", err
	}
	kept, err := onward.Unpack(packed)
	switch {
	case err != nil:
		i.Log.ErrorContext(ctx, "a message that came back goes to no other channel", "notification_id", record.WebhookID, "error", err)
		return "none", nil
	case r.OptedOut && !kept.DespiteOptOut:
		return "none: the recipient has opted out", nil
	case !i.Now().Before(kept.Deadline):
		return "none: the message's deadline has passed", nil
	}
	item := kept.Item
	item.Carried.Released = i.Now()
	m := waiting.Outgoing{Body: item.Body, Group: item.Group, Attributes: item.Sendable()}
	return "sent", waiting.SendOne(ctx, i.Notifications, item.Queue, m)
}

// settle says that all is done that follows from the report.
func (i *item) settle(ctx context.Context, record attempt.Record) error {
	done := *record.Report
	done.Due, done.Version = false, done.Version+1
	return i.Attempts.PutReport(ctx, record, done)
}
