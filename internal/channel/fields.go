package channel

import (
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

const (
	maxSubject     = 998 // bytes: a header line (RFC 5322, section 2.1.1)
	maxUnsubscribe = 995 // bytes: SES's longest header value
	maxFallback    = 8   // more than there are channels: the rest is a mistake
	notAString     = "is not valid Unicode"
	badFallback    = "must be a list of channel names (email, slack, sms)"
	badRecipients  = "must map channel names to addresses, each once"
	channelWanted  = "must be email, slack or sms"
	subjectWanted  = "must be at most 998 bytes, without line breaks or other control characters"
	unsubscrWanted = "must be an https or mailto URL of at most 995 ASCII characters"
)

// field is one key of a notification: the JSON that it takes, where its value
// goes, what to say of a value that does not fit there, and what is wrong
// with it when it does.
type field struct {
	kind   jsontext.Kind
	target func(*Notification) any
	wrong  string
	check  func(*Notification) string
}

func text(target func(*Notification) *string, check func(string) string) field {
	return field{
		kind: jsontext.KindString, wrong: notAString,
		target: func(n *Notification) any { return target(n) },
		check:  func(n *Notification) string { return check(*target(n)) },
	}
}

var fields = map[string]field{
	"id":      text(func(n *Notification) *string { return &n.ID }, message.CheckID),
	"channel": text(func(n *Notification) *string { return (*string)(&n.Channel) }, checkChannel),
	// The address is checked when the channel is known.
	"recipient":        text(func(n *Notification) *string { return &n.Recipient }, func(string) string { return "" }),
	"subject":          text(func(n *Notification) *string { return &n.Subject }, checkSubject),
	"body":             text(func(n *Notification) *string { return &n.Body }, checkBody),
	"tenant":           text(func(n *Notification) *string { return &n.Tenant }, message.CheckTenant),
	"list_unsubscribe": text(func(n *Notification) *string { return &n.ListUnsubscribe }, checkUnsubscribe),
	"recipients": {
		kind: jsontext.KindBeginObject, wrong: badRecipients,
		target: func(n *Notification) any { return &n.Recipients }, check: checkRecipients,
	},
	"fallback": {
		kind: jsontext.KindBeginArray, wrong: badFallback,
		target: func(n *Notification) any { return &n.Fallback }, check: checkFallback,
	},
	"fallback_on_opt_out": {
		kind: jsontext.KindTrue, wrong: "must be true or false",
		target: func(n *Notification) any { return &n.FallbackOnOptOut },
	},
}

var required = []string{"channel", "recipient", "body"}

// checkTogether looks at what takes more than one field, and at what is
// missing of a message that was read to its end.
func (p *parsing) checkTogether(whole bool) {
	for _, name := range required {
		if whole && !p.seen[name] {
			p.Fail(name, "missing")
		}
	}
	n := &p.n
	if n.Channel == "" {
		return
	}
	if p.seen["recipient"] {
		if problem := CheckRecipient(n.Channel, n.Recipient); problem != "" {
			p.Fail("recipient", problem)
			n.Recipient = ""
		}
	}
	for _, f := range n.Fallback {
		if f == n.Channel {
			p.Fail("fallback", "names the message's own channel, "+string(f))
			n.Fallback = nil
		}
	}
	if problem := CheckText(n.Channel, n.Subject, n.Body); problem != "" {
		p.Fail("body", problem)
	}
}

func checkChannel(s string) string {
	if !Name(s).known() {
		return channelWanted
	}
	return ""
}

func checkSubject(s string) string {
	if len(s) > maxSubject || message.HasControl(s) {
		return subjectWanted
	}
	return ""
}

func checkBody(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

func checkUnsubscribe(s string) string {
	u, err := url.Parse(s)
	ok := err == nil && len(s) <= maxUnsubscribe && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || r == '<' || r == '>' || r == ','
	}) && (u.Scheme == "https" && u.Hostname() != "" || u.Scheme == "mailto" && u.Opaque != "")
	if !ok {
		return unsubscrWanted
	}
	return ""
}

func checkRecipients(n *Notification) string {
	for _, name := range []Name{Email, Slack, SMS} { // in an order, so that the same message has the same error
		if address, ok := n.Recipients[name]; ok {
			if problem := CheckRecipient(name, address); problem != "" {
				return string(name) + " " + problem
			}
		}
	}
	for name := range n.Recipients {
		if !name.known() {
			return "has a key that is not email, slack or sms"
		}
	}
	return ""
}

func checkFallback(n *Notification) string {
	if len(n.Fallback) > maxFallback {
		return "is too long"
	}
	seen := map[Name]bool{}
	for _, f := range n.Fallback {
		if !f.known() {
			return badFallback
		}
		if seen[f] {
			return "names " + string(f) + " more than once"
		}
		seen[f] = true
	}
	return ""
}
