package channel

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"
)

const (
	// slackInterval is Slack's limit of a webhook ("Rate limits": incoming
	// webhooks, 1 per second).
	slackInterval = time.Second
	// slackPatience is how long a message waits in hand for its turn; a longer
	// wait is the queue's.
	slackPatience = 3 * time.Second
)

// SlackWebhook posts by one incoming webhook. The messages of one webhook go
// out a second apart, as far as this process knows of them.
type SlackWebhook struct {
	url   string
	rt    http.RoundTripper
	clock clockwork.Clock
	pace  pace
}

// NewSlackWebhook returns the sender for c.WebhookURL.
func NewSlackWebhook(c SlackConfig, rt http.RoundTripper, clock clockwork.Clock) *SlackWebhook {
	return &SlackWebhook{url: c.WebhookURL, rt: rt, clock: clock}
}

// Send posts h's text. The webhook belongs to one channel: only those of
// before Slack's apps heed h.Recipient ("Sending messages using incoming
// webhooks"), which may be empty.
func (s *SlackWebhook) Send(ctx context.Context, h Handover) Outcome {
	body, refused, ok := slackBody(h)
	if !ok {
		return refused
	}
	if wait, err := s.pace.wait(ctx, s.clock, slackInterval, slackPatience); err != nil {
		return failed(Transient, 0, "Slack: "+kindOf(err)+" before the message's turn")
	} else if wait > 0 {
		o := failed(Transient, 0, "Slack: too many messages for this webhook, which takes 1 a second")
		o.RetryAfter, o.Paced = wait, true
		return o
	}
	x := post(ctx, s.rt, "Slack", s.url, slackHeader(), body)
	if x.lost != nil {
		return *x.lost
	}
	o := slackWebhookOutcome(x.status, string(x.body), retryAfter(x.header, s.clock.Now()))
	if o.RetryAfter > 0 {
		s.pace.hold(s.clock.Now().Add(o.RetryAfter))
	}
	return o
}

type slackMessage struct {
	Channel string `json:"channel,omitempty"`
	Text    string `json:"text"`
}

// slackBody is h as both of Slack's ways take it, or the outcome of a text that
// can't be sent.
func slackBody(h Handover) (body []byte, refused Outcome, ok bool) {
	if problem := CheckText(Slack, h.Subject, h.Body); problem != "" {
		return nil, failed(Permanent, 0, "Slack: the text "+problem), false
	}
	body, err := json.Marshal(slackMessage{Channel: h.Recipient, Text: SlackText(h.Subject, h.Body)})
	if err != nil {
		return nil, failed(Permanent, 0, "Slack: the text is not valid Unicode"), false
	}
	return body, Outcome{}, true
}

func slackHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

// slackWebhookOutcome reads a webhook's answer: 200 with the body ok, or an
// error's name as the body ("Handling errors" in "Sending messages using
// incoming webhooks"; Slack's changelog of 2016-05-17).
func slackWebhookOutcome(status int, body string, after time.Duration) Outcome {
	body = strings.TrimSpace(body)
	name := slackErrorName.FindString(body)
	class, known := slackErrors[name]
	switch {
	case status == http.StatusOK && body == "ok":
		return sent("", status)
	case status == http.StatusTooManyRequests:
		o := failed(Transient, status, "Slack: too many requests")
		o.RetryAfter = after
		return o
	case known:
		return failed(class, status, "Slack: "+name)
	}
	o := slackStatus(status)
	if name != "" {
		o.Reason += ": " + name
	}
	return o
}

// slackStatus is the outcome by the status alone, where the answer's body says
// nothing that we know.
func slackStatus(status int) Outcome {
	code := strconv.Itoa(status)
	switch {
	case status >= 200 && status < 300:
		return failed(Unknown, status, "Slack: it answered "+code+" without its ok: the message may have been taken")
	case status >= 500, status == http.StatusRequestTimeout:
		return failed(Transient, status, "Slack: it answered "+code)
	case status < 400:
		return failed(Configuration, status, "Slack: it answered "+code+", a redirect: check the URL in the secret efferent/slack")
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed:
		return failed(Configuration, status, "Slack: it answered "+code+": check the secret efferent/slack")
	}
	return failed(Permanent, status, "Slack: it answered "+code)
}

// slackErrorName is what an error's name looks like; nothing else of an answer
// is ever shown.
var slackErrorName = regexp.MustCompile(`^[a-z_]{2,64}$`)

// slackErrors is the class of each error that Slack names: those of webhooks
// and those of chat.postMessage (its reference page). One that is not here is
// classed by its status; chat.postMessage's are permanent.
var slackErrors = map[string]Class{
	// The message, or where it goes, is wrong.
	"invalid_payload": Permanent, "too_many_attachments": Permanent, "no_text": Permanent, "msg_too_long": Permanent,
	"invalid_blocks": Permanent, "invalid_arguments": Permanent, "missing_text_or_fallback_or_attachments": Permanent,
	"channel_not_found": Permanent, "channel_is_archived": Permanent, "is_archived": Permanent, "invalid_channel": Permanent,
	"user_not_found": Permanent, "user_disabled": Permanent, "user_is_bot": Permanent, "cannot_dm_bot": Permanent,

	// The webhook or the workspace behind it is gone or restricted.
	"no_service": Configuration, "no_service_id": Configuration, "no_active_hooks": Configuration, "no_team": Configuration,
	"team_disabled": Configuration, "team_not_found": Configuration, "invalid_token": Configuration,
	"action_prohibited": Configuration, "posting_to_general_channel_denied": Configuration,

	// The token is no good, or may not do this.
	"not_authed": Configuration, "invalid_auth": Configuration, "account_inactive": Configuration, "token_revoked": Configuration,
	"token_expired": Configuration, "missing_scope": Configuration, "no_permission": Configuration, "access_denied": Configuration,
	"not_allowed_token_type": Configuration, "ekm_access_denied": Configuration, "enterprise_is_restricted": Configuration,
	"team_access_not_granted": Configuration, "two_factor_setup_required": Configuration, "accesslimited": Configuration,
	"restricted_action": Configuration, "restricted_action_read_only_channel": Configuration,
	"restricted_action_thread_only_channel": Configuration, "messages_tab_disabled": Configuration,
	"method_deprecated": Configuration, "deprecated_endpoint": Configuration,
	// The address is right, and the app can't use it until somebody invites
	// it there: the alarm of a configuration failure is what gets that done.
	"not_in_channel": Configuration,

	// It may pass. Slack says of fatal_error and internal_error that a part
	// may have been done; for Slack, transient and unknown both mean another
	// try.
	"rollup_error": Transient, "ratelimited": Transient, "rate_limited": Transient, "message_limit_exceeded": Transient,
	"internal_error": Transient, "fatal_error": Transient, "service_unavailable": Transient, "request_timeout": Transient,
	"team_added_to_org": Transient, "org_login_required": Transient,
}
