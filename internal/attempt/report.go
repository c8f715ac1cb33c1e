package attempt

import (
	"context"
	"errors"
	"time"
)

// State is how far a provider has come, by its own reports, with what it took.
type State string

// The states.
const (
	// Accepted: it took it, and was asked to report. No report has come yet, and there
	// may never be one.
	Accepted State = "accepted"
	// Arrived: the recipient's server, or phone, has it.
	Arrived State = "delivered"
	// Bounced: the recipient's server refused it, or could not be reached for too long.
	Bounced State = "bounced"
	// Complained: the recipient has it, and called it spam.
	Complained State = "complained"
	// Undelivered: the provider could not, or would not, bring it there.
	Undelivered State = "undelivered"
)

// Report is what a provider has reported last of an attempt that it took. It is kept
// beside the attempt's record, so that no write of the one loses the other.
type Report struct {
	State State `json:"state"`
	// At is when that was so, by the provider's clock.
	At time.Time `json:"at"`
	// Reason says in words why it did not arrive. It quotes no address.
	Reason string `json:"reason,omitzero"`
	// Response is what the other server said, which may; ResponseLimit bytes at most.
	Response string `json:"response,omitzero"`
	// Hard says of what bounced that no later try can reach the address.
	Hard bool `json:"hard,omitzero"`
	// By is the SQS id of the report's message. Due says that what follows from the
	// report is not all done yet.
	By  string `json:"by"`
	Due bool   `json:"due,omitzero"`
	// Version counts the writes, from 1.
	Version int `json:"version"`
}

// Rank orders the reports of one attempt: a report moves it only to a higher one. A
// soft bounce that comes after the delivery is somebody's automatic answer ("Contents of
// event data that Amazon SES publishes to Amazon SNS", bounce types), a hard one is a
// server's that took it at first.
func (r Report) Rank() int {
	switch {
	case r.State == Complained:
		return 3
	case r.State == Bounced && r.Hard:
		return 2
	case r.State == Accepted || r.State == "":
		return 0
	}
	return 1
}

// ErrReported says that another report was kept meanwhile.
var ErrReported = errors.New("another report of the attempt was kept meanwhile")

// Reports keeps what is reported. It is used by many goroutines at once.
type Reports interface {
	// PutReport keeps rep as that of r's attempt, durably once it returns nil, and as
	// long as r. Every read of the record that begins after that has it. Error:
	// ErrReported, where the one that is kept is not of the version before rep's: 0 is
	// that of none. After any other error it may be kept or not.
	PutReport(ctx context.Context, r Record, rep Report) error
}

// With is r with what was reported of it.
func (r Record) With(rep Report) Record {
	r.State, r.Report = rep.State, &rep
	return r
}

// Own is r without what was reported of it: what is written as its record.
func (r Record) Own() Record {
	if r.Report != nil {
		r.State, r.Report = "", nil
		if r.Verdict == Delivered {
			r.State = Accepted
		}
	}
	return r
}

// Returned reports whether it was taken, and did not arrive: its channel is done with.
func (r Record) Returned() bool {
	return r.Verdict == Delivered && (r.State == Bounced || r.State == Undelivered)
}
