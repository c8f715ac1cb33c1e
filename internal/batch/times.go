package batch

import (
	"context"
	"time"
)

// The times of an invocation, back from its deadline: a handler is never killed
// with work open.
const (
	// Margin is what an invocation keeps of its time to write down what happened:
	// what is still being sent that long before its deadline is cut.
	Margin = 2 * time.Second
	// tellMargin ends what happened and telling the ledger of it, so that what
	// could not be told can be marked; writeMargin ends that.
	tellMargin  = time.Second
	writeMargin = 500 * time.Millisecond

	// prepareTime is for what comes before the sending: histories and keys.
	prepareTime = 3 * time.Second
	// writeTime is for one write that others wait for.
	writeTime = 5 * time.Second
)

// times are the contexts of an invocation's writes. They outlive what is being
// sent, so that what happened is written down.
type times struct{ tells, marks context.Context }

// share divides an invocation's time: the context returned is for the sending.
func (b *batch) share(ctx context.Context) (sending context.Context, stop func()) {
	written := context.WithoutCancel(ctx)
	b.times = times{written, written}
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	sending, stopSending := context.WithDeadline(ctx, deadline.Add(-Margin))
	tells, stopTells := context.WithDeadline(written, deadline.Add(-tellMargin))
	marks, stopMarks := context.WithDeadline(written, deadline.Add(-writeMargin))
	b.times = times{tells, marks}
	return sending, func() { stopSending(); stopTells(); stopMarks() }
}

// write is the context of one write.
func (t times) write() (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.tells, writeTime)
}
