// Package deadletter is what is known of a dead-letter queue and its messages
// from outside: how many there are, what moves them, and what may be done.
// It is pure data.
package deadletter

import (
	"errors"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// The dead-letter queues. A deployment may put a prefix before their names; the
// API and the command name them without it.
const (
	WebhookFailures      = "webhook-failures"
	NotificationFailures = "notification-failures"
	EventFailures        = "event-failures"
	ReportFailures       = "report-failures"
)

// QueueOf names the queue that SQS moves a message to after an attempt; empty
// where it moves it to none.
func QueueOf(r attempt.Record) string {
	switch {
	case r.Verdict != attempt.Permanent && r.Verdict != attempt.Exhausted || r.Dropped:
		return ""
	case r.Event:
		return EventFailures
	case r.Notification:
		return NotificationFailures
	}
	return WebhookFailures
}

// Count is about how many messages a queue holds. SQS's numbers are
// approximate, and may be a minute late ("GetQueueAttributes").
type Count struct {
	// Visible can be received, Hidden are held by somebody, Delayed are not
	// visible yet.
	Visible, Hidden, Delayed int
	// Retention is how long the queue keeps a message after it was first sent.
	Retention time.Duration
}

// Total is all of them.
func (c Count) Total() int { return c.Visible + c.Hidden + c.Delayed }

// The states of a Move ("ListMessageMoveTasks").
const (
	Running    = "RUNNING"
	Completed  = "COMPLETED"
	Cancelling = "CANCELLING"
	Cancelled  = "CANCELLED"
	Failed     = "FAILED"
)

// Move is one of SQS's message move tasks, which takes messages out of a
// dead-letter queue; the console's redrive is one.
type Move struct {
	// Handle is what cancels it; empty unless it is running.
	Handle  string
	Status  string
	Started time.Time
	// Moved is how many messages it has moved, ToMove how many there were at
	// its start. Both are approximate.
	Moved, ToMove int64
	// Rate is the most messages a second; 0 leaves that to SQS.
	Rate int
	// Destination is the ARN of a queue, empty where each message goes back to
	// where it came from.
	Destination string
	// Reason says why it failed.
	Reason string
}

// ErrMoving says that a move task of the queue is running already.
var ErrMoving = errors.New("a message move task of this queue is running")

// ErrMoveEnded says that a move task can't be cancelled: it has ended, or there
// was none of that handle.
var ErrMoveEnded = errors.New("no such message move task is running")

// ErrMovesUnsupported says that the SQS endpoint has no move tasks at all.
var ErrMovesUnsupported = errors.New("this SQS endpoint has no message move tasks")

// ErrTooLarge says that a message is too large to be sent with the attributes
// that it must carry.
var ErrTooLarge = errors.New("the message is too large")

// The acts on a message, which a claim.Claim names.
const (
	Replay  = "replay"
	Discard = "discard"
	Search  = "search" // of a whole queue: see Whole
)

// Whole is the ItemID of a claim on a whole queue: one searches it at a time,
// since two that each hide half of it would wait for each other.
const Whole = "*"
