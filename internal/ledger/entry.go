// Package ledger is the tamper-evident record of what was sent: its entries
// and the audit message that carries them. It is pure: nothing here does I/O.
package ledger

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The actions an entry can record.
const (
	WebhookAttempt   = "webhook.attempt"   // about to be sent
	WebhookDelivered = "webhook.delivered" // an attempt that the endpoint took
	WebhookFailed    = "webhook.failed"    // an attempt that it did not take, or that could not be made

	NotificationAttempt = "notification.attempt" // about to be handed over
	NotificationSent    = "notification.sent"    // a provider took it
	NotificationFailed  = "notification.failed"  // a provider did not, or could not be asked

	DLQReplay  = "dlq.replay"  // dead letters are about to be sent again
	DLQDiscard = "dlq.discard" // a dead letter is about to be deleted
	DLQCancel  = "dlq.cancel"  // a replay of all is about to be cancelled

	WaitingRelease = "waiting.release" // what waits is about to be sent before it is due
	WaitingDrop    = "waiting.drop"    // what waits is about to be dropped for good

	CircuitOpened = "circuit.opened" // an endpoint is left alone from now on
	CircuitClosed = "circuit.closed" // it is sent to again

	EndpointCreated  = "endpoint.created"  // an endpoint is about to be registered
	EndpointUpdated  = "endpoint.updated"  // it is about to be changed
	EndpointDeleted  = "endpoint.deleted"  // it is about to be deleted
	EndpointPaused   = "endpoint.paused"   // what is for it is about to wait
	EndpointDisabled = "endpoint.disabled" // as paused, because it fails or by an operator
	EndpointReplayed = "endpoint.replayed" // events that it never had are about to be sent to it
	EndpointResumed  = "endpoint.resumed"  // it is about to be sent to again
	EndpointRotated  = "endpoint.rotated"  // its key is about to be replaced
	EndpointVerified = "endpoint.verified" // its receiver has said that it wants events
	EndpointRevealed = "endpoint.revealed" // its key is about to be shown
	TokenCreated     = "token.created"     // a token for one tenant is about to be made

	SuppressionAdded   = "suppression.added"   // an address is about to be put on the suppression list
	SuppressionRemoved = "suppression.removed" // it is about to be taken from it

	RecipientPut     = "recipient.put"     // a recipient is about to be kept, in the place of what was
	RecipientUpdated = "recipient.updated" // one is about to be changed
	RecipientRemoved = "recipient.removed" // one is about to be removed

	LedgerRead = "ledger.read" // the ledger is about to be read by way of the API
)

// Entry is one line of the ledger. An entry can never be erased, so it holds
// no query string, no recipient and no body. Whatever its texts are, its
// canonical form has less than MaxEntry bytes: longer ones are cut.
type Entry struct {
	Action string
	// Actor is who did it: a component of Efferent, or a caller's identity.
	Actor   string
	Attempt int // 0 where there is none
	// FailedChannels are a notification's channels that are done with, in order.
	FailedChannels []string
	// ID names the act. An attempt and its outcome share the ID
	// "<SQS message id>#<attempt>" and differ in Action; that of an act on a
	// dead letter is its message id.
	ID        string
	MessageID string
	Resource  string
	Tenant    string // empty where there is none
	Timestamp time.Time
	WebhookID string
}

// The most bytes of an entry's texts, and the most channels in it. JSON makes
// six bytes of a control character, so all of them come to less than MaxEntry.
const (
	textLimit     = 512
	resourceLimit = 2 << 10
	channelLimit  = 32
	channelsLimit = 16
)

// AppendJSON appends the entry's canonical form (RFC 8785) to b. Times are UTC
// in milliseconds. Its error says that a text is not valid UTF-8. It is written
// by hand because every delivery makes two of these.
func (e Entry) AppendJSON(b []byte) ([]byte, error) {
	w := fieldWriter{b: append(b, '{')}
	w.text("action", e.Action, textLimit)
	w.text("actor", e.Actor, textLimit)
	if e.Attempt != 0 {
		w.name("attempt")
		w.b = strconv.AppendInt(w.b, int64(e.Attempt), 10)
	}
	if len(e.FailedChannels) > 0 {
		w.list("failed_channels", e.FailedChannels)
	}
	w.text("id", e.ID, textLimit)
	if e.MessageID != "" {
		w.text("message_id", e.MessageID, textLimit)
	}
	w.text("resource", e.Resource, resourceLimit)
	if e.Tenant != "" {
		w.text("tenant", e.Tenant, textLimit)
	}
	w.name("timestamp")
	w.b = e.Timestamp.UTC().AppendFormat(w.b, `"2006-01-02T15:04:05.000Z"`)
	if e.WebhookID != "" {
		w.text("webhook_id", e.WebhookID, textLimit)
	}
	if w.err != nil {
		return b, fmt.Errorf("ledger entry %s of %s: %w", e.Action, e.ID, w.err)
	}
	return append(w.b, '}'), nil
}

// fieldWriter writes the fields of an object.
type fieldWriter struct {
	b   []byte
	err error
}

func (w *fieldWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), `":`...)
}

func (w *fieldWriter) text(name, value string, limit int) {
	w.name(name)
	w.quote(name, value, limit)
}

func (w *fieldWriter) quote(name, value string, limit int) {
	quoted, err := jsontext.AppendQuote(w.b, within(value, limit))
	if err != nil {
		w.err = fmt.Errorf("%s: %w", name, err)
	}
	w.b = quoted
}

func (w *fieldWriter) list(name string, values []string) {
	w.name(name)
	for i, value := range values[:min(len(values), channelsLimit)] {
		w.b = append(w.b, "[,"[min(i, 1)])
		w.quote(name, value, channelLimit)
	}
	w.b = append(w.b, ']')
}

// within cuts a text that has more than limit bytes. What is left says of which
// text it is the beginning, by the SHA-256 of the whole.
func within(text string, limit int) string {
	if len(text) <= limit || !utf8.ValidString(text) {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…sha256:" + DeduplicationID([]byte(text))
}

// DeadNotification is the resource of an act on one notification that is dead, or
// that waits.
func DeadNotification(queue, channel string) string {
	return "queue=" + queue + ", channel=" + channel
}

// DeadLetters is the resource of an act on all messages of a dead-letter queue.
func DeadLetters(queue string) string { return "queue=" + queue + ", all" }
