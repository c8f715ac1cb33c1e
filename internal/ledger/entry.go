// Package ledger is the tamper-evident record of what was sent: its entries
// and the audit message that carries them. It is pure: nothing here does I/O.
package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// The actions an entry can record about a webhook.
const (
	WebhookAttempt   = "webhook.attempt"   // about to be sent
	WebhookDelivered = "webhook.delivered" // an attempt that the endpoint took
	WebhookFailed    = "webhook.failed"    // an attempt that it did not take, or that could not be made
)

// Entry is one line of the ledger. Its JSON is canonical (RFC 8785): the
// fields stand here in the order of their names, and AppendJSON adds nothing
// else. An entry can never be erased, so it holds no query string, no
// recipient and no body.
type Entry struct {
	Action string `json:"action"`
	// Actor is who did it: a component of Efferent, or a caller's identity.
	Actor   string `json:"actor"`
	Attempt int    `json:"attempt,omitzero"`
	// ID names the act: "<SQS message id>#<attempt>". An attempt and its
	// outcome share it and differ in Action.
	ID        string `json:"id"`
	MessageID string `json:"message_id,omitzero"`
	Resource  string `json:"resource"`
	Timestamp Time   `json:"timestamp"`
	WebhookID string `json:"webhook_id,omitzero"`
}

// Time is a moment as an entry writes it: UTC, RFC 3339, in milliseconds.
type Time time.Time

// AppendText implements encoding.TextAppender.
func (t Time) AppendText(b []byte) ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z"), nil
}

// JSON returns the entry's canonical form (RFC 8785).
func (e Entry) JSON() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("ledger entry %s of %s: %w", e.Action, e.ID, err)
	}
	return b, nil
}

// BeforeSending is the resource of an attempt that is about to be made.
func BeforeSending(rawURL, event string) string {
	return "url=" + withoutQuery(rawURL) + ", event=" + event
}

// AfterSending is the resource of an attempt's outcome; status is 0 where no
// answer came.
func AfterSending(rawURL string, status int) string {
	return "url=" + withoutQuery(rawURL) + ", status=" + strconv.Itoa(status)
}

// withoutQuery cuts what may hold a token: query, fragment and user. It cuts
// too much rather than too little of what is not a URL (RFC 3986, section 3).
func withoutQuery(raw string) string {
	if end := strings.IndexAny(raw, "?#"); end >= 0 {
		raw = raw[:end]
	}
	scheme, rest, _ := strings.Cut(raw, "//")
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		raw = scheme + "//" + authority[at+1:]
		if path != "" {
			raw += "/" + path
		}
	}
	return raw
}
