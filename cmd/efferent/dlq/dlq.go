// Package dlq is efferent dlq: what could not be delivered, replayed and discarded.
package dlq

import (
	"net/url"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// Command is efferent dlq.
type Command struct {
	List   dlqListCommand   `cmd:"" help:"What is in a dead-letter queue, newest first."`
	Show   dlqShowCommand   `cmd:"" help:"One item: its attempts, and its body."`
	Replay dlqReplayCommand `cmd:"" help:"Send items again: some, all, or those that filters take."`
	Rm     dlqRmCommand     `cmd:"" help:"Discard items for good."`
	Tasks  dlqTasksCommand  `cmd:"" help:"The replays of all of a queue; cancel one."`
}

// dlqFlags say which queue is meant, and how to print.
type dlqFlags struct {
	reach.APIFlags
	Queue string `default:"webhook-failures" placeholder:"NAME" help:"The dead-letter queue, without the stack's prefix (${default})."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// path is a route of the queue.
func (f *dlqFlags) path(parts ...string) string {
	path := "/api/v1/dlq/" + url.PathEscape(f.Queue)
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

// hint is another command on the same queue, to be typed.
func (f *dlqFlags) hint(command string) string {
	hint := "efferent dlq " + command
	if f.Queue != "webhook-failures" {
		hint += " --queue " + f.Queue
	}
	if f.Dev {
		hint += " --dev"
	}
	return hint
}

// filterFlags choose messages; all that are given must hold. A pointer tells an
// empty value from none: what a script left empty must not mean everything.
type filterFlags struct {
	Tenant    *string           `group:"Filters" placeholder:"NAME" help:"Only this tenant's."`
	Endpoint  *string           `group:"Filters" placeholder:"ID" help:"Only for this registered endpoint."`
	Event     *string           `group:"Filters" placeholder:"TYPE" help:"Only of this event type."`
	Channel   *string           `group:"Filters" placeholder:"CHANNEL" help:"Only notifications that name this channel."`
	URLPrefix *string           `group:"Filters" name:"url-prefix" placeholder:"URL" help:"Only those to URLs that begin so."`
	Reason    *string           `group:"Filters" placeholder:"TEXT" help:"Only those whose reason holds this, in any case."`
	Since     *console.PastTime `group:"Filters" placeholder:"TIME" help:"${dlq_since}"`
	Until     *console.PastTime `group:"Filters" placeholder:"TIME" help:"Only those last tried before then."`
}

func (f *filterFlags) filter() (filter replay.Filter, err error) {
	for _, text := range []struct {
		flag  string
		value *string
		to    *string
	}{
		{"--tenant", f.Tenant, &filter.Tenant}, {"--endpoint", f.Endpoint, &filter.Endpoint},
		{"--event", f.Event, &filter.EventType}, {"--channel", f.Channel, &filter.Channel},
		{"--url-prefix", f.URLPrefix, &filter.URLPrefix}, {"--reason", f.Reason, &filter.Reason},
	} {
		if text.value == nil {
			continue
		}
		if *text.value == "" {
			return filter, console.Misusedf("%s is empty; leave it out if it is not meant", text.flag)
		}
		*text.to = *text.value
	}
	if f.Since != nil {
		filter.Since = f.Since.Time
	}
	if f.Until != nil {
		filter.Until = f.Until.Time
	}
	return filter, nil
}

// queryOf is a filter as parameters of a GET.
func queryOf(f replay.Filter) url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"tenant": f.Tenant, "endpoint": f.Endpoint, "event_type": f.EventType, "channel": f.Channel, "url_prefix": f.URLPrefix,
		"reason": f.Reason,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !at.IsZero() {
			query.Set(name, at.Format(time.RFC3339))
		}
	}
	return query
}
