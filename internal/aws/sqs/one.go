package awssqs

import (
	"context"

	"github.com/efferent/efferent/internal/waiting"
)

// One sends single messages to a queue. It may be used by many goroutines at once.
type One struct {
	API SendBatchAPI
	URL string
}

// Send sends a message. After an error it may have been sent.
func (o *One) Send(ctx context.Context, m waiting.Outgoing) error {
	const queue = "it"
	_, err := (&Outgoing{API: o.API, URLs: map[string]string{queue: o.URL}}).Send(ctx, queue, []waiting.Outgoing{m})
	return err
}
