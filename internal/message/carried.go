package message

import (
	"strconv"
	"time"
)

// The SQS message attributes that a message carries when it is sent anew: by a
// replay, or out of the waiting room. All are of the type String. Whoever may
// send to the queue may set them too, so they decide about how attempts are
// numbered and about the policy only, never about what is sent where.
const (
	CarriedID       = "efferent-id"
	CarriedOrigin   = "efferent-origin"
	CarriedAttempts = "efferent-attempts"
	CarriedBase     = "efferent-base"
	CarriedFirst    = "efferent-first"
	CarriedReleased = "efferent-released"
	CarriedRetry    = "efferent-retry"
	CarriedHeld     = "efferent-held"
	CarriedTrace    = "efferent-trace"
	CarriedClaim    = "efferent-claim"
)

// IsCarried reports whether a message attribute is one of these. What a message
// carried when it came is not sent on: an empty one of Carried means none.
func IsCarried(name string) bool {
	switch name {
	case CarriedID, CarriedOrigin, CarriedAttempts, CarriedBase, CarriedFirst, CarriedReleased, CarriedRetry, CarriedHeld, CarriedTrace,
		CarriedClaim:
		return true
	}
	return false
}

// maxAttempts is the most attempts that a message may carry: their numbers are
// kept with four digits.
const maxAttempts = 9999

// redriven is how much later than it was released a message must have been sent
// to have been redriven since: a redrive gives it a new SentTimestamp.
const redriven = time.Minute

// Carried is what a message takes along when it is sent anew, since SQS gives
// it a new message id.
type Carried struct {
	// ID is its webhook-id, for a message whose body names none.
	ID string `json:"id,omitzero"`
	// Origin is the SQS message id under which it was first received.
	Origin string `json:"origin,omitzero"`
	// Attempts is the number of the last attempt so far. Base is how many of the
	// attempts do not count under its present policy, 0 to Attempts.
	Attempts int `json:"attempts,omitzero"`
	Base     int `json:"base,omitzero"`
	// First is when it was first received, Released when it was sent this time.
	First    time.Time `json:"first,omitzero"`
	Released time.Time `json:"released,omitzero"`
	// Retry is the policy that it follows from now on, whatever its body names.
	Retry string `json:"retry,omitzero"`
	// Held is how long it has waited so far, by the reason.
	Held Held `json:"held,omitzero"`
	// Trace is its producer's trace, as a traceparent, where no attribute of its own
	// says that: SQS gives who sends it anew another AWSTraceHeader.
	Trace string `json:"trace,omitzero"`
	// Claim is the token of the claim by which a notification goes on to its next
	// channel; empty where it needs none, or has not taken it yet.
	Claim string `json:"claim,omitzero"`
}

// Resent reports whether the message was sent by us, and not by its producer.
func (c Carried) Resent() bool { return !c.Released.IsZero() }

// Anew reports whether nothing was tried, and nothing waited for, since somebody
// sent the message: its producer, or who replayed or redrove it. Otherwise it was
// sent out of the waiting room, which is nobody's wish.
func (c Carried) Anew() bool { return c.Attempts == c.Base && len(c.Held) == 0 }

// Attributes are the message attributes that carry c, without those that are
// empty.
func (c Carried) Attributes() map[string]string {
	all := map[string]string{}
	for name, text := range map[string]string{
		CarriedID: c.ID, CarriedOrigin: c.Origin, CarriedAttempts: numberText(c.Attempts), CarriedBase: numberText(c.Base),
		CarriedFirst: timeText(c.First), CarriedReleased: timeText(c.Released), CarriedRetry: c.Retry, CarriedHeld: c.Held.String(),
		CarriedTrace: c.Trace, CarriedClaim: c.Claim,
	} {
		if text != "" {
			all[name] = text
		}
	}
	return all
}

func numberText(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// CarriedBy reads what a message carries that was sent at a time. text gives the
// text of a message attribute, nil where there is none. What can't be meant is
// left out. Where the message was redriven since it was released, it follows its
// own policy from the beginning: nothing of what was tried counts, nor how long
// it was held.
func CarriedBy(text func(name string) *string, sent time.Time) Carried {
	// Most messages carry nothing: what reads a text below asks first whether it is
	// empty, since an error takes memory.
	get := func(name string) string {
		if value := text(name); value != nil {
			return *value
		}
		return ""
	}
	c := Carried{
		Attempts: number(get(CarriedAttempts)), Base: number(get(CarriedBase)),
		First: timeOf(get(CarriedFirst)), Released: timeOf(get(CarriedReleased)),
		Retry: get(CarriedRetry), Held: ParseHeld(get(CarriedHeld)), Trace: get(CarriedTrace),
	}
	if id := get(CarriedID); ValidID(id) {
		c.ID = id
	}
	if origin := get(CarriedOrigin); ValidID(origin) {
		c.Origin = origin
	}
	if claim := get(CarriedClaim); ValidID(claim) {
		c.Claim = claim
	}
	c.Base = min(c.Base, c.Attempts)
	switch {
	case c.Released.IsZero():
		// A replay by a version that wrote no such time, and that numbered a replay's
		// attempts from 1: its history would be taken for what was before the replay.
		c.Attempts, c.Base, c.Held = 0, 0, nil
		c.First = time.Time{}
	case sent.Sub(c.Released) > redriven:
		c.Base, c.Held, c.Retry = c.Attempts, nil, ""
		c.First = time.Time{} // or one that is redriven after 14 days would be too old for its policy
	}
	return c
}

func number(text string) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxAttempts {
		return 0
	}
	return n
}

func timeOf(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// FirstReceived is when the message was first received, by what it carries or by
// SQS (ApproximateFirstReceiveTimestamp); now where neither can be read, and
// never later than now.
func (c Carried) FirstReceived(attributes map[string]string, now time.Time) time.Time {
	first := c.First
	if millis, err := strconv.ParseInt(attributes["ApproximateFirstReceiveTimestamp"], 10, 64); first.IsZero() && err == nil {
		first = time.UnixMilli(millis).UTC()
	}
	if first.IsZero() || first.After(now) {
		return now.UTC()
	}
	return first
}
