// Package attempt is the record of one try to deliver a message: what was
// tried, what came of it, and under which key it is kept. It is pure data.
package attempt

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Verdict is what one try means for its message.
type Verdict string

const (
	// Delivered: the other side took it. It is never sent again.
	Delivered Verdict = "delivered"
	// Retryable: it failed in a way that may pass; another try is due.
	Retryable Verdict = "retryable"
	// Permanent: it failed in a way that trying again cannot mend.
	Permanent Verdict = "permanent"
	// Exhausted: the failure may pass, but no try is left.
	Exhausted Verdict = "exhausted"
	// Held: the try was not made, or not of its own fault: it will be, under the
	// same number, and uses up none of the policy's.
	Held Verdict = "held"
)

// Final reports whether the message is done with: no further try is made.
func (v Verdict) Final() bool { return v != Retryable && v != Held }

// ResponseLimit is how much of an answer a record keeps, in bytes, unless it is
// set otherwise: then up to MaxResponse.
const (
	ResponseLimit = 1 << 10
	MaxResponse   = 4 << 10
)

// Retention is how long a record lives.
const Retention = 30 * 24 * time.Hour

// Record is one try. Attempts belong to an SQS message: a message that was
// redriven or replayed has a new MessageID and starts again at 1, under the
// same WebhookID where its producer gave one. WebhookIDs are not unique: one
// event may go to many endpoints and tenants.
type Record struct {
	WebhookID string `json:"webhook_id"`
	// Origin is the MessageID under which the message was first received, which
	// a replay carries along. Records from before there were origins have none:
	// OriginID is what to ask for.
	Origin    string `json:"origin"`
	MessageID string `json:"message_id"`
	// Attempt counts from 1 within MessageID.
	Attempt   int       `json:"attempt"`
	At        time.Time `json:"at"`
	URL       string    `json:"url"`
	EventType string    `json:"event_type"`
	Tenant    string    `json:"tenant,omitzero"`
	// Endpoint is the id of the registered endpoint that the try was made at, whose URL
	// then was URL; empty where the message has its own.
	Endpoint string `json:"endpoint,omitzero"`
	// Status is the HTTP status, 0 where no answer came.
	Status     int     `json:"status"`
	DurationMS int64   `json:"duration_ms"`
	Verdict    Verdict `json:"verdict"`
	// Uncounted says that the try uses up none of its policy's: it failed by
	// what a kept connection or a cached secret does.
	Uncounted bool `json:"uncounted,omitzero"`
	// Untold says that the ledger is still to be told of the outcome: the audit
	// queue could not be written. The message's next receive does it.
	Untold bool `json:"untold,omitzero"`
	// OutcomeDue says that producers are still to be told of the message's end. A record
	// of one is kept with it first, where they are told at all, so that no crash after
	// that can lose it.
	OutcomeDue bool `json:"outcome_due,omitzero"`
	// Reason says in words why the try failed; empty when it did not.
	Reason string `json:"reason"`
	// Response is the beginning of the answer's body, at most ResponseLimit
	// bytes, kept for failures only.
	Response string `json:"response"`
	// Truncated says that the answer's body was longer than what was read.
	Truncated bool `json:"truncated"`
	// NextAt is when the next try is due; zero where there is to be none.
	NextAt time.Time `json:"next_at,omitzero"`
	// Waiting says that the message waits in the waiting room until then, or goes
	// there: whoever receives it still moves it there.
	Waiting bool `json:"waiting,omitzero"`
	// Held is how long the message has been held so far, by the reason, as
	// message.Held writes it.
	Held string `json:"held,omitzero"`
	// Circuit is the key of the open circuit that the message waits for in the
	// waiting room; empty where it waits for a time.
	Circuit string `json:"circuit,omitzero"`
	// Paused says of such a one that it waits because its endpoint is paused or
	// disabled, however its circuit is.
	Paused bool `json:"paused,omitzero"`
	// TraceID is that of its producer's trace, in 32 hex digits (W3C Trace Context,
	// section 3.2.2.3); empty where there is none.
	TraceID string `json:"trace_id,omitzero"`
	// Dropped says that somebody took the message out of the waiting room for
	// good: it is in no dead-letter queue.
	Dropped bool `json:"dropped,omitzero"`

	// Event says that it is the try to turn an event into messages to the endpoints of
	// its tenant: URL is empty then.
	Event bool `json:"event,omitzero"`

	// Of a notification, whose id is WebhookID: the channel of this try, its
	// address there, what the provider calls it, the failure's class, and the
	// channels that are done with, in order, this one included.
	Notification bool   `json:"notification,omitzero"`
	Channel      string `json:"channel,omitzero"`
	Recipient    string `json:"recipient,omitzero"`
	// To is the id of the recipient whom the message names, and Topic what it is about;
	// empty where it says neither.
	To             string   `json:"to,omitzero"`
	Topic          string   `json:"topic,omitzero"`
	ProviderID     string   `json:"provider_id,omitzero"`
	Class          string   `json:"class,omitzero"`
	FailedChannels []string `json:"failed_channels,omitzero"`
	// Template is the version of a template that it was made of, as name@version; empty
	// where it was made of none.
	Template string `json:"template,omitzero"`
}

// Ended is when the try was over.
func (r Record) Ended() time.Time { return r.At.Add(time.Duration(r.DurationMS) * time.Millisecond) }

// SortKey orders the tries of a webhook id: "<message id>#<attempt>", the
// attempt padded so that ten sorts after nine.
func (r Record) SortKey() string {
	n := strconv.Itoa(r.Attempt)
	return SortKeyPrefix(r.MessageID) + strings.Repeat("0", max(0, 4-len(n))) + n
}

// SortKeyPrefix is what the sort keys of one SQS message begin with.
func SortKeyPrefix(messageID string) string { return messageID + "#" }

// OriginID is the message that this is an attempt of, whatever SQS ids it was
// given since.
func (r Record) OriginID() string { return cmp.Or(r.Origin, r.MessageID) }

// OfOrigin are those of the attempts under one webhook id that were made of one
// message, in their order.
func OfOrigin(history []Record, origin string) (of []Record) {
	for _, r := range history {
		if r.OriginID() == origin {
			of = append(of, r)
		}
	}
	return of
}

// Rank orders the verdicts on one attempt by how much they settle: delivered >
// final > retryable > held.
func (v Verdict) Rank() int {
	switch v {
	case Delivered:
		return 3
	case Permanent, Exhausted:
		return 2
	case Held:
		return 0
	}
	return 1
}

// Distinct leaves one record of each attempt: SQS may deliver a message twice in
// one batch. It is the one that settles most, by Rank, and the last of several that
// settle as much.
func Distinct(records []Record) []Record {
	type key struct{ webhookID, sortKey string }
	at := make(map[key]int, len(records))
	one := make([]Record, 0, len(records))
	for _, r := range records {
		k := key{r.WebhookID, r.SortKey()}
		i, twice := at[k]
		switch {
		case !twice:
			at[k] = len(one)
			one = append(one, r)
		case r.Verdict.Rank() >= one[i].Verdict.Rank():
			one[i] = r
		}
	}
	return slices.Clip(one)
}

// LastOn is the last attempt of a history that was made on a channel, none where there
// is none.
func LastOn(history []Record, channel string) (last Record) {
	for _, r := range history {
		if r.Channel == channel {
			last = r
		}
	}
	return last
}

// LastBefore is the number of the last attempt of a history that was made
// before a time, 0 if none was. History is a message's attempts in order.
func LastBefore(history []Record, t time.Time) (last int) {
	for _, r := range history {
		if r.At.Before(t) {
			last = r.Attempt
		}
	}
	return last
}
