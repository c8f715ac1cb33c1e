package channel

import (
	"errors"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

const (
	maxUnsubscribe = 995 // bytes: SES's longest header value
	maxFallback    = 8   // more than there are channels: the rest is a mistake
	notAString     = "is not valid Unicode"
	badRecipients  = "must map channel names to addresses (strings), each once"
	subjectWanted  = "must have no line breaks or other control characters"
	deadlineWanted = "must be 1s to 24h, as one whole number and s, m or h: 90s, 15m"
	unsubscrWanted = "must be an https or mailto URL of at most 995 ASCII characters"
	badFlag        = "must be true or false"
)

var (
	badFallback   = "must be a list of channel names (" + OneOf("and") + ")"
	channelWanted = "must be " + OneOf("or")
)

// field is one key of a notification: the JSON that it takes, where its value
// goes, what to say of a value that does not fit there, and what is wrong
// with it when it does.
type field struct {
	kind   jsontext.Kind
	or     jsontext.Kind // another that will do; 0 for none
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

// kinds is what JSON a field takes, in words.
func (f field) kinds() string {
	if f.or == 0 || f.or == jsontext.KindFalse {
		return message.KindName(f.kind)
	}
	return message.KindName(f.kind) + " or " + message.KindName(f.or)
}

func flag(target func(*Notification) *bool) field {
	return field{
		kind: jsontext.KindTrue, or: jsontext.KindFalse, wrong: badFlag, target: func(n *Notification) any { return target(n) },
	}
}

var fields = map[string]field{
	"id":      text(func(n *Notification) *string { return &n.ID }, message.CheckID),
	"channel": text(func(n *Notification) *string { return (*string)(&n.Channel) }, checkChannel),
	// An address that its channel can't take is the channel's failure, and a text
	// that is too long for one too: another may do. Each sender looks at both.
	"recipient": {
		kind: jsontext.KindString, or: jsontext.KindBeginArray, wrong: badReceivers,
		target: func(n *Notification) any { return (*receivers)(n) }, check: checkReceivers,
	},
	"to": {
		kind: jsontext.KindString, or: jsontext.KindBeginArray, wrong: badTo,
		target: func(n *Notification) any { return (*toList)(&n.To) }, check: checkToList,
	},
	"topic":   text(func(n *Notification) *string { return &n.Topic }, message.CheckEventType),
	"subject": text(func(n *Notification) *string { return &n.Subject }, checkSubject),
	"body":    text(func(n *Notification) *string { return &n.Body }, checkFilled),
	"tenant":  text(func(n *Notification) *string { return &n.Tenant }, message.CheckTenant),
	// Which policies there are the handler knows.
	"retry": text(func(n *Notification) *string { return &n.Retry }, func(string) string { return "" }),
	"deadline": {
		kind: jsontext.KindString, wrong: deadlineWanted,
		target: func(n *Notification) any { return (*deadline)(&n.Deadline) },
	},
	"list_unsubscribe": text(func(n *Notification) *string { return &n.ListUnsubscribe }, checkUnsubscribe),
	"recipients": {
		kind: jsontext.KindBeginObject, wrong: badRecipients,
		target: func(n *Notification) any { return (*addresses)(&n.Recipients) }, check: checkRecipients,
	},
	"fallback": {
		kind: jsontext.KindBeginArray, wrong: badFallback,
		target: func(n *Notification) any { return &n.Fallback }, check: checkFallback,
	},
	"fallback_on_opt_out": flag(func(n *Notification) *bool { return &n.FallbackOnOptOut }),
	"each":                flag(func(n *Notification) *bool { return &n.Each }),
	"template":            text(func(n *Notification) *string { return &n.Template }, message.CheckTemplate),
	"data": {
		kind: jsontext.KindBeginObject, wrong: badNative, target: func(n *Notification) any { return &n.Data },
	},
	"thread": text(func(n *Notification) *string { return &n.Thread }, message.CheckID),
	"update": text(func(n *Notification) *string { return &n.Update }, message.CheckID),

	"html":     text(func(n *Notification) *string { return &n.HTML }, checkFilled),
	"reply_to": text(func(n *Notification) *string { return &n.ReplyTo }, checkMailbox),
	"cc":       mailboxes(func(n *Notification) *[]string { return &n.CC }),
	"bcc":      mailboxes(func(n *Notification) *[]string { return &n.BCC }),
	"headers": {
		kind: jsontext.KindBeginObject, wrong: badHeaders,
		target: func(n *Notification) any { return (*headers)(&n.Headers) }, check: checkHeaders,
	},
	"attachments": {
		kind: jsontext.KindBeginArray, wrong: badAttachments,
		target: func(n *Notification) any { return (*attachments)(&n.Attachments) }, check: checkAttachments,
	},

	"blocks": native(jsontext.KindBeginArray, func(c *Content) *jsontext.Value { return &c.Blocks }, checkBlocks),
	"embeds": native(jsontext.KindBeginArray, func(c *Content) *jsontext.Value { return &c.Embeds }, checkEmbeds),
	"card":   native(jsontext.KindBeginObject, func(c *Content) *jsontext.Value { return &c.Card }, checkCard),
}

// required are what every message has; the body may be made of html, or a template, and
// who it goes to may be looked up.
var required = []string{"channel", "recipient", "body"}

// stands reports whether another field is there in the place of a required one.
func (p *parsing) stands(required string) bool {
	if required == "body" {
		return p.seen["html"] || p.seen["template"]
	}
	return p.seen["to"]
}

// checkTogether looks at what takes more than one field, and at what is
// missing of a message that was read to its end.
func (p *parsing) checkTogether(whole bool) {
	for _, name := range required {
		if whole && !p.seen[name] && !p.stands(name) {
			p.Fail(name, "missing")
		}
	}
	n := &p.n
	p.checkTemplate()
	p.checkTo()
	if n.Channel == "" && len(n.To) == 0 {
		return
	}
	p.checkReach(n)
	p.checkEarlier(n)
	for _, f := range n.Fallback {
		if f == n.Channel {
			p.Fail("fallback", "names the message's own channel, "+string(f))
			n.Fallback = nil
		}
	}
}

// deadline is one number and its unit, 1 s to 24 h.
type deadline time.Duration

var deadlines = regexp.MustCompile(`^[1-9][0-9]{0,4}[smh]$`)

func (d *deadline) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || !deadlines.Match(text) || read > MostDeadline {
		return errors.New(deadlineWanted)
	}
	*d = deadline(read)
	return nil
}

func checkChannel(s string) string {
	if !Name(s).known() {
		return channelWanted
	}
	return ""
}

func checkSubject(s string) string {
	if message.HasControl(s) {
		return subjectWanted
	}
	return ""
}

func checkFilled(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

// unsubscribe is a URL that can stand between < and >, with others after commas
// (RFC 2369, section 2): of https, with a host and without a user's name, or of
// mailto, with an address.
var unsubscribe = regexp.MustCompile(`^(?:` +
	`[Hh][Tt][Tt][Pp][Ss]://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#](?:` + inURL + `)*)?|` +
	`[Mm][Aa][Ii][Ll][Tt][Oo]:(?:[!$&-+\-.0-;=@-~]|%[0-9A-Fa-f]{2})(?:` + inURL + `)*)$`)

// inURL is a character of a URL: ASCII that can be seen, but for ", <, > and the
// comma.
const inURL = `[!#-$&-+\--;=?-~]|%[0-9A-Fa-f]{2}`

func checkUnsubscribe(s string) string {
	if len(s) > maxUnsubscribe || !unsubscribe.MatchString(s) {
		return unsubscrWanted
	}
	return ""
}

func checkRecipients(n *Notification) string {
	for name := range n.Recipients {
		if !name.known() {
			return "has a key that is not " + OneOf("or")
		}
	}
	return ""
}

// addresses are read like any other map, but null is no address.
type addresses map[Name]string

func (a *addresses) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	*a, err = textsByName[Name](d)
	return err
}

func textsByName[K ~string](d *jsontext.Decoder) (map[K]string, error) {
	var read map[K]*string
	if err := json.UnmarshalDecode(d, &read); err != nil {
		return nil, err
	}
	all := map[K]string{}
	for name, text := range read {
		if text == nil {
			return nil, errors.New("null")
		}
		all[name] = *text
	}
	return all, nil
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
