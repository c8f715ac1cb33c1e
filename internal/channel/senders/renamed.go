package senders

import (
	"context"
	"strings"

	"github.com/efferent/efferent/internal/channel"
)

// renamed is a sender whose secret does not have the default's name, which is what the
// senders' own texts say.
type renamed struct {
	channel.Sender
	from, to string
}

func (s renamed) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	o := s.Sender.Send(ctx, h)
	o.Reason = strings.ReplaceAll(o.Reason, s.from, s.to)
	return o
}

// Addressless is the sender's own, where it says so.
func (s renamed) Addressless() bool {
	a, ok := s.Sender.(interface{ Addressless() bool })
	return ok && a.Addressless()
}

// Reports is the sender's own, where it says so.
func (s renamed) Reports() bool { return channel.ReportsOn(s.Sender) }

// Limit is the sender's own.
func (s renamed) Limit(recipient string) channel.Limit {
	if p, ok := s.Sender.(channel.Paced); ok {
		return p.Limit(recipient)
	}
	return channel.Limit{}
}

// renamedError is an error of another text.
type renamedError struct {
	error
	text string
}

func (e renamedError) Error() string { return e.text }
func (e renamedError) Unwrap() error { return e.error }
