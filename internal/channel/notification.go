package channel

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// Notification is one message to somebody, as it stands on the queue.
type Notification struct {
	// ID is 1 to 128 of [A-Za-z0-9_-]; empty where the producer gave none.
	ID        string
	Channel   Name
	Recipient string // on Channel
	// To are recipients of the tenant, by their ids, who are to be looked up: one, or
	// several who get a message each. With it there is no Recipient, and Channel may be
	// empty. Topic is what they choose by, names with dots between them; it may be empty.
	To    []string
	Topic string
	// Addresses are where the one of To was found to be reached, by channel.
	Addresses map[Name][]string
	// More are further recipients on Channel: of the same email, or, with Each, of
	// a message each.
	More []string
	Each bool
	// Subject is optional. Body may be empty where there is HTML to make it of.
	Subject string
	Body    string
	// Recipients are the addresses on other channels.
	Recipients map[Name]string
	// Fallback are the channels to use when Channel fails, in order. It is nil
	// where the message has none: Chain gives the default then. An empty one
	// that is not nil means no fallback.
	Fallback []Name
	// FallbackOnOptOut: use the other channels even when the recipient has
	// opted out of one.
	FallbackOnOptOut bool
	Tenant           string // optional
	// Retry is the policy of the retries on each channel; empty is the default, which
	// is more patient on the last channel that there is.
	Retry string
	// Deadline is after how long a channel that can't be used now is given up for the
	// next one. 0 where the message has none: TimeLeft gives the default then.
	Deadline time.Duration
	// ListUnsubscribe is an https or mailto URL for the email's header of that
	// name; optional.
	ListUnsubscribe string
	Mail
	Content
	// Template names a template that makes the subject, the text and whatever else of
	// Data, which is a JSON object: name, or name@version; empty for none.
	Template string
	Data     jsontext.Value
	// Thread is the id of an earlier notification that this one belongs under,
	// Update of one that it takes the place of; empty for none.
	Thread, Update string
}

// defaultFallback is none for webhooks: there a machine reads.
var defaultFallback = map[Name][]Name{Email: {Slack}, Slack: {Email}, SMS: {Email}, Teams: {Email}, Discord: {Email}}

// Chain is every channel to try, in order, each once.
func (n Notification) Chain() []Name {
	rest := n.Fallback
	if rest == nil {
		rest = defaultFallback[n.Channel]
	}
	return append([]Name{n.Channel}, rest...)
}

// Everyone is who n goes to on its own channel.
func (n Notification) Everyone() []string { return append([]string{n.Recipient}, n.More...) }

// Address is where n goes on a channel: what was looked up, its entry of recipients, or
// recipient on the message's own channel. It is empty where there is none.
func (n Notification) Address(on Name) string {
	if all := n.EveryoneOn(on); len(all) > 0 {
		return all[0]
	}
	return ""
}

// EveryoneOn is who n goes to on a channel.
func (n Notification) EveryoneOn(on Name) []string {
	if all := n.Addresses[on]; len(all) > 0 {
		return all
	}
	if a, ok := n.Recipients[on]; ok {
		return []string{a}
	}
	if on == n.Channel {
		return n.Everyone()
	}
	return nil
}

// DefaultDeadline is the deadline of a message that names none, and MostDeadline the
// longest.
const (
	DefaultDeadline = 15 * time.Minute
	MostDeadline    = 24 * time.Hour
)

// TimeLeft is how long after it was sent a notification may wait for one channel while
// there is another.
func (n Notification) TimeLeft() time.Duration { return cmp.Or(n.Deadline, DefaultDeadline) }

// maxMessage is as much as SQS takes ("Amazon SQS message quotas").
const maxMessage = 1 << 20

// Decode reads a notification strictly: unknown, repeated or differently cased
// keys, wrong types, a missing field and trailing data are all a
// *message.FieldError, which names the first problem. Decode goes on past a bad
// field, so that the Notification that it returns beside an error has what was
// good of it: a failure can be recorded under its id.
//
// What only one channel can't take is no fault of the message: a malformed
// address, or a text that is too long (CheckRecipient, CheckText). Of an address
// that is too long for every channel the first KiB is kept.
func Decode(data []byte) (Notification, error) {
	p := parsing{seen: map[string]bool{}}
	if len(data) > maxMessage {
		p.Fail("", "must be at most 1 MiB long")
		return p.n, p.Err()
	}
	// Repeated keys and invalid UTF-8 are reported by field, below.
	p.Object = message.Object{Data: data, Required: required, Decoder: jsontext.NewDecoder(bytes.NewReader(data),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	whole := p.Read(p.member)
	p.checkTogether(whole)
	p.n.Recipient = message.Shorten(p.n.Recipient, maxKept)
	for i, address := range p.n.More {
		p.n.More[i] = message.Shorten(address, maxKept)
	}
	for name, address := range p.n.Recipients {
		p.n.Recipients[name] = message.Shorten(address, maxKept)
	}
	return p.n, p.Err()
}

// parsing is one notification half read.
type parsing struct {
	message.Object
	n    Notification
	seen map[string]bool
}

// member reads one key and its value.
func (p *parsing) member() bool {
	key, err := p.Decoder.ReadToken()
	if err != nil {
		return p.Syntax("", err)
	}
	name := message.Shorten(key.String(), 64) // before the next read, which ends key's life
	value, err := p.Decoder.ReadValue()
	if err != nil {
		return p.Syntax(name, err)
	}
	f, known := fields[name]
	switch {
	case !known:
		p.Fail(name, "unknown"+message.Suggestion(name, slices.Sorted(maps.Keys(fields))))
	case p.seen[name]:
		p.Fail(name, "appears more than once")
	case value.Kind() != f.kind && value.Kind() != f.or:
		p.Fail(name, "must be "+f.kinds()+", not "+message.KindName(value.Kind()))
	default:
		p.take(name, f, value)
	}
	p.seen[name] = true
	return true
}

// problemError is what is wrong with a value, where who reads it knows it better than
// its field.
type problemError string

func (e problemError) Error() string { return string(e) }

// take puts one known field into the notification; a bad value is reported and
// left out.
func (p *parsing) take(name string, f field, value jsontext.Value) {
	before := p.n
	problem := ""
	var told problemError
	if err := json.Unmarshal(value, f.target(&p.n)); errors.As(err, &told) {
		problem = string(told)
	} else if err != nil {
		problem = f.wrong
	} else if f.check != nil {
		problem = f.check(&p.n)
	}
	if problem != "" {
		p.n = before
		p.Fail(name, problem)
	}
}
