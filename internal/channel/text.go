package channel

import (
	"strings"
	"unicode/utf8"
)

const (
	maxSubject = 998 // bytes: a header line (RFC 5322, section 2.1.1)
	// maxEmailBody is far below what mail servers take, and leaves room for
	// the rest of a queue's message.
	maxEmailBody = 512 << 10 // bytes
	// maxSlackText is where Slack cuts a text off ("Truncating really long
	// messages", chat.postMessage).
	maxSlackText = 40_000 // characters, as escaped
	// maxSMSText is Twilio's limit (error 21617), and about AWS's (1600
	// characters, SendTextMessage).
	maxSMSText = 1600 // characters
	// maxDiscordText is "Execute Webhook"'s, content.
	maxDiscordText = 2000 // characters
)

// SlackText is a notification's text in Slack's own mark-up: what the subject
// and the body hold of it stays text, except for emphasis, which Slack has no
// escape for.
func SlackText(subject, body string) string {
	if subject == "" {
		return slackEscape.Replace(body)
	}
	return "*" + slackEscape.Replace(subject) + "*\n" + slackEscape.Replace(body)
}

// The three characters that Slack wants escaped ("Formatting text for app
// surfaces"); with them gone, <!channel> and links are text too.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// SMSText is a notification's text as an SMS.
func SMSText(subject, body string) string {
	if subject == "" {
		return body
	}
	return subject + ": " + body
}

// CheckText says what is wrong with the length of a text on a channel; ""
// when nothing is.
func CheckText(on Name, subject, body string) string {
	switch {
	case on != Email && body == "":
		return "must not be empty"
	case on == Discord && utf8.RuneCountInString(SMSText(subject, body)) > maxDiscordText:
		return "must be at most 2000 characters for Discord, with the subject"
	case on == Email && len(subject) > maxSubject:
		return "must have a subject of at most 998 bytes for an email"
	case on == Email && len(body) > maxEmailBody:
		return "must be at most 512 KiB for an email"
	case on == Slack && utf8.RuneCountInString(SlackText(subject, body)) > maxSlackText:
		return "must be at most 40000 characters for Slack, with the subject, and each of &, < and > as 4 or 5"
	case on == SMS && utf8.RuneCountInString(SMSText(subject, body)) > maxSMSText:
		return "must be at most 1600 characters for an SMS, with the subject"
	}
	return ""
}
