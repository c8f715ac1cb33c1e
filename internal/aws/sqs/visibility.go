package awssqs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/message"
)

// HideAPI is what changing the visibility of messages takes.
type HideAPI interface {
	ChangeMessageVisibilityBatch(context.Context, *sdk.ChangeMessageVisibilityBatchInput, ...func(*sdk.Options)) (
		*sdk.ChangeMessageVisibilityBatchOutput, error)
}

// parallel is how many batch requests of one call are under way at a time.
const parallel = 16

// hiding is one call of hide.
type hiding struct {
	HideAPI
	url string

	mu      sync.Mutex
	refused int
	code    string // of the first that was refused
	failed  []error
}

// hide changes the visibility of received messages, ten a request, several
// requests at a time; one that is refused keeps none of the others from it. Its
// error says how many were refused and why the first was, and what went wrong
// with whole requests.
func hide(ctx context.Context, api HideAPI, url string, hides []message.Hide) error {
	h := hiding{HideAPI: api, url: url}
	var requests sync.WaitGroup
	places := make(chan struct{}, parallel)
	for rest := hides; len(rest) > 0; {
		some := rest[:min(batchLimit, len(rest))]
		rest = rest[len(some):]
		places <- struct{}{}
		requests.Go(func() {
			h.request(ctx, some)
			<-places
		})
	}
	requests.Wait()
	err := errors.Join(h.failed...)
	if h.refused > 0 {
		err = errors.Join(fmt.Errorf("%d refused, the first by %s", h.refused, h.code), err)
	}
	if err != nil {
		err = fmt.Errorf("change the visibility of %d messages of %s: %w", len(hides), url, err)
	}
	return err
}

func (h *hiding) request(ctx context.Context, hides []message.Hide) {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(hides))
	for i := range hides {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: &batchIDs[i], ReceiptHandle: &hides[i].ReceiptHandle, VisibilityTimeout: int32(hides[i].For / time.Second),
		}
	}
	out, err := h.ChangeMessageVisibilityBatch(ctx, &sdk.ChangeMessageVisibilityBatchInput{QueueUrl: &h.url, Entries: entries})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil:
		h.failed = append(h.failed, fmt.Errorf("%d of them: %w", len(hides), err))
	case len(out.Failed) > 0:
		if h.refused == 0 {
			h.code = aws.ToString(out.Failed[0].Code)
		}
		h.refused += len(out.Failed)
	}
}
