// Package report is what providers tell later of a notification that they took: whether
// it arrived, bounced, or was called spam, and who wants no more. It reads what Twilio
// and Amazon SES send; it is pure.
package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// Queue is where reports come from, without the stack's prefix.
const Queue = "reports"

// The providers that report.
const (
	Twilio = "twilio"
	SES    = "ses"
)

// What somebody has answered to an SMS.
const (
	Stop  = "stop"  // no more
	Start = "start" // more again
)

// Report is one thing that a provider tells: of an attempt, or of somebody who wants no
// more SMS. It is also how a callback's is written on the queue.
type Report struct {
	Provider string `json:"provider"`
	// Of is the attempt; zero where the report is a Word.
	Of Key `json:"of,omitzero"`
	// State is what the attempt has come to.
	State attempt.State `json:"state,omitzero"`
	// Reason says why it did not arrive, without an address. Response is what the other
	// server said.
	Reason   string `json:"reason,omitzero"`
	Response string `json:"response,omitzero"`
	// Hard says that no later try can reach the address. OptedOut says that who has it
	// wants none: another channel is no remedy.
	Hard     bool `json:"hard,omitzero"`
	OptedOut bool `json:"opted_out,omitzero"`
	// Recipients are whom it is about, of All that the message went to. All is 0 where
	// there is only one.
	Recipients []string  `json:"recipients,omitzero"`
	All        int       `json:"all,omitzero"`
	At         time.Time `json:"at,omitzero"`
	// Word is Stop or Start, said by the one of Recipients to Tenant's number.
	Word   string `json:"word,omitzero"`
	Tenant string `json:"tenant,omitzero"`
}

// ErrNothing says that a message is understood, and nothing follows from it: it is of
// another sender's mail, or tells of a step on the way.
var ErrNothing = errors.New("nothing follows from this report")

const (
	// maxReport is as much as SQS takes.
	maxReport = 1 << 20
	// maxText is how much is kept of what a provider says, in bytes.
	maxText       = 200
	maxRecipients = 50 // of an email: SES's most ("Service quotas in Amazon SES")
)

// Decode reads a message of the queue: a report as Encode writes it, or an event of
// SES, with or without SNS's envelope. What it does not know it passes over. Errors:
// ErrNothing; any other says that it is none of these.
func Decode(body []byte) (Report, error) { return decode(body, true) }

func decode(body []byte, mayBeEnveloped bool) (Report, error) {
	if len(body) > maxReport {
		return Report{}, errors.New("a report must be at most 1 MiB long")
	}
	if strings.HasPrefix(string(body), validated) {
		return Report{}, ErrNothing
	}
	var outer struct {
		Provider         string `json:"provider"`
		Type             string `json:"Type"`
		Message          string `json:"Message"`
		EventType        string `json:"eventType"`
		NotificationType string `json:"notificationType"`
	}
	if err := json.Unmarshal(body, &outer, lenient); err != nil {
		return Report{}, errors.New("it is no JSON object that is a report: neither an event of SES nor a callback's")
	}
	switch {
	case outer.Provider != "":
		return decodeOwn(body)
	case outer.Type == "Notification" && mayBeEnveloped:
		return decode([]byte(outer.Message), false)
	case outer.Type == "SubscriptionConfirmation" || outer.Type == "UnsubscribeConfirmation":
		return Report{}, ErrNothing // whose URL nobody follows
	case outer.EventType != "" || outer.NotificationType != "":
		return decodeSES(body)
	}
	return Report{}, errors.New("it is neither an event of SES nor a callback's report")
}

// validated is what SES sends a topic once when it becomes an event destination.
const validated = "Successfully validated SNS topic"

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func decodeOwn(body []byte) (r Report, err error) {
	if err := json.Unmarshal(body, &r, lenient); err != nil {
		return Report{}, errors.New("it is no report as a callback writes it")
	}
	return r, r.check()
}

// Encode is a report as it is put on the queue.
func (r Report) Encode() (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	b, err := json.Marshal(r, lenient)
	return string(b), err
}

func (r Report) check() error {
	switch {
	case len(r.Recipients) > maxRecipients:
		return fmt.Errorf("it is about %d recipients, and can be about %d", len(r.Recipients), maxRecipients)
	case r.Word != "" && (r.Word != Stop && r.Word != Start || len(r.Recipients) != 1 || message.CheckTenant(r.Tenant) != ""):
		return errors.New("it is no answer to an SMS: it needs stop or start, one number and a tenant's name")
	case r.Word != "":
		return nil
	case !r.Of.valid():
		return errors.New("it does not say which attempt it is of")
	case r.State != attempt.Arrived && r.State != attempt.Bounced && r.State != attempt.Complained && r.State != attempt.Undelivered:
		return fmt.Errorf("%.40q is no state that can be reported", r.State)
	}
	return nil
}

// Kept is what is kept of the report with its attempt.
func (r Report) Kept(by string, now time.Time, before *attempt.Report) attempt.Report {
	k := attempt.Report{State: r.State, At: r.At, Reason: r.Reason, Response: message.Shorten(r.Response, attempt.ResponseLimit),
		Hard: r.Hard, By: by, Due: true, Version: 1}
	if k.At.IsZero() || k.At.After(now) {
		k.At = now
	}
	if before != nil {
		k.Version = before.Version + 1
	}
	return k
}

// word is a provider's word, as it may stand in a log.
func word(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, text)
	return message.Shorten(clean, 40)
}
