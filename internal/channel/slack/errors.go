package slack

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
)

// lost is the outcome where no whole answer came.
func lost(a exchange.Answer) channel.Outcome {
	return channel.Lost("Slack", a.Connected, a.Status, a.Err)
}

// byStatus is the outcome by the status alone, where the answer's body says
// nothing that we know.
func byStatus(status int) channel.Outcome {
	said := "Slack: it answered " + strconv.Itoa(status)
	switch {
	case status >= 200 && status < 300:
		return channel.Failed(channel.Unknown, status, said+" without its ok: the message may have been taken")
	case status >= 500, status == http.StatusRequestTimeout:
		return channel.Failed(channel.Transient, status, said)
	case status < 400:
		return channel.Failed(channel.Configuration, status, said+", a redirect: check the URL in the secret "+channel.SlackSecret)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed:
		return channel.Failed(channel.Configuration, status, said+": check the secret "+channel.SlackSecret)
	}
	return channel.Failed(channel.Permanent, status, said)
}

// errorName is what an error's name looks like; nothing else of an answer is
// ever shown.
var errorName = regexp.MustCompile(`^[a-z_]{2,64}$`)

// errorClasses is the class of each error that Slack names: those of webhooks
// and those of chat.postMessage and chat.update (their reference pages). One that is
// not here is classed by its status; those of the last two are permanent.
var errorClasses = byName(map[channel.Class]string{
	// The message, or where it goes, is wrong.
	channel.Permanent: `
		invalid_payload too_many_attachments no_text msg_too_long invalid_blocks invalid_arguments
		missing_text_or_fallback_or_attachments channel_not_found channel_is_archived is_archived invalid_channel
		user_not_found user_disabled user_is_bot cannot_dm_bot
		invalid_blocks_format invalid_attachments msg_blocks_too_long slack_connect_canvas_sharing_blocked
		message_not_found cant_update_message cant_broadcast_message edit_window_closed update_failed is_inactive
		thread_not_found cannot_reply_to_message restricted_action_thread_locked`,

	// The webhook or the workspace behind it is gone or restricted; the token is
	// no good, or may not do this. With not_in_channel the address is right, and
	// the app can't use it until somebody invites it there: the alarm of a
	// configuration failure is what gets that done.
	channel.Configuration: `
		no_service no_service_id no_active_hooks no_team team_disabled team_not_found invalid_token action_prohibited
		posting_to_general_channel_denied
		not_authed invalid_auth account_inactive token_revoked token_expired missing_scope no_permission access_denied
		not_allowed_token_type ekm_access_denied enterprise_is_restricted team_access_not_granted two_factor_setup_required
		accesslimited restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
		messages_tab_disabled method_deprecated deprecated_endpoint not_in_channel`,

	// It may pass. Slack says of fatal_error and internal_error that a part may
	// have been done; for Slack, transient and unknown both mean another try.
	channel.Transient: `
		rollup_error message_limit_exceeded internal_error fatal_error service_unavailable
		request_timeout team_added_to_org org_login_required`,

	channel.Limited: `ratelimited rate_limited`,
})

func byName(names map[channel.Class]string) map[string]channel.Class {
	classes := map[string]channel.Class{}
	for class, all := range names {
		for name := range strings.FieldsSeq(all) {
			classes[name] = class
		}
	}
	return classes
}
