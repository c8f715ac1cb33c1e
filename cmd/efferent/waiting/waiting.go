// Package waiting is efferent waiting: what waits for its next attempt.
package waiting

import (
	"net/url"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// Command is efferent waiting.
type Command struct {
	List    waitingListCommand    `cmd:"" help:"How many messages wait for their next attempt, for which endpoint, why, and until when."`
	Release waitingReleaseCommand `cmd:"" help:"Send messages now that wait."`
	Drop    waitingDropCommand    `cmd:"" help:"Drop messages that wait, for good: they are sent no more, and are in no dead-letter queue."`
}

// waitingFlags say where the API is, which messages are meant, and how to print.
// What must not mean everything when it is empty is a pointer, as in filterFlags.
type waitingFlags struct {
	reach.APIFlags
	Queue     *string `group:"Filters" placeholder:"NAME" help:"Only those that go back to this queue: webhooks or notifications."`
	Tenant    *string `group:"Filters" placeholder:"NAME" help:"Only this tenant's."`
	URLPrefix *string `group:"Filters" name:"url-prefix" placeholder:"URL" help:"Only those to URLs that begin so."`
	Reason    *string `group:"Filters" placeholder:"REASON" help:"${waiting_reason}"`
	WebhookID *string `group:"Filters" name:"webhook-id" placeholder:"ID" help:"Only those of this webhook-id, or notification's id."`
	JSON      bool    `name:"json" help:"Print JSON."`
}

func (f *waitingFlags) filter() (filter replay.WaitingFilter, err error) {
	for _, text := range []struct {
		flag  string
		value *string
		to    *string
	}{
		{"--queue", f.Queue, &filter.Queue}, {"--tenant", f.Tenant, &filter.Tenant}, {"--url-prefix", f.URLPrefix, &filter.URLPrefix},
		{"--reason", f.Reason, &filter.Reason}, {"--webhook-id", f.WebhookID, &filter.WebhookID},
	} {
		if text.value == nil {
			continue
		}
		if *text.value == "" {
			return filter, console.Misusedf("%s is empty; leave it out if it is not meant", text.flag)
		}
		*text.to = *text.value
	}
	return filter, nil
}

// waitingQuery is a filter as parameters of a GET.
func waitingQuery(f replay.WaitingFilter) url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"queue": f.Queue, "tenant": f.Tenant, "url_prefix": f.URLPrefix, "reason": f.Reason, "webhook_id": f.WebhookID,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}
