package replay

import (
	"fmt"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/report"
)

// ReadReport is ReadWebhook for what providers report: WebhookID is that of the
// notification. No attempt is recorded of taking a report in, so why it is here is said
// by what it is.
func ReadReport(body string) Item {
	r, err := report.Decode([]byte(body))
	i := Item{WebhookID: r.Of.WebhookID, Tenant: r.Tenant, Channel: map[string]string{report.Twilio: string(channel.SMS),
		report.SES: string(channel.Email)}[r.Provider]}
	switch {
	case err != nil:
		i.Reason = "a report that can't be read: " + err.Error()
	case r.Word != "":
		i.Reason = fmt.Sprintf("the answer %q to an SMS was not taken in", r.Word)
	default:
		i.Reason = fmt.Sprintf("the report %q of attempt %d was not taken in", r.State, r.Of.Attempt)
	}
	return i
}

// recallSent is recall for what no attempt is recorded of: it has the time at which it
// was sent.
func (l *letter) recallSent() {
	l.item.FirstAt = message.SentAt(l.msg.Attributes)
	l.item.LastAt = l.item.FirstAt
}

// auditFailures is the dead-letter queue of the way into the ledger.
const auditFailures = "audit-failures.fifo"
