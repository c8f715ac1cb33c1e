package awssqs

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/ledger"
)

// SendAPI is what sending to a queue takes.
type SendAPI interface {
	SendMessage(context.Context, *sdk.SendMessageInput, ...func(*sdk.Options)) (*sdk.SendMessageOutput, error)
}

// Audit sends ledger entries to the audit queue, a FIFO queue. It may be used
// by many goroutines at once.
type Audit struct {
	API SendAPI
	URL string
	// Lanes is the number of message groups (ledger.DefaultLanes).
	Lanes int
}

// Append sends entries in as few messages as their size allows, to the lane of
// key. A repeated send of the same message within five minutes is dropped by
// SQS.
func (a *Audit) Append(ctx context.Context, key string, entries []ledger.Entry) error {
	bodies, err := ledger.Messages(entries, ledger.MessageLimit)
	if err != nil {
		return err
	}
	lane := ledger.Lane(key, a.Lanes)
	for _, b := range bodies {
		body, id := string(b), ledger.DeduplicationID(b)
		_, err := a.API.SendMessage(ctx, &sdk.SendMessageInput{
			QueueUrl: &a.URL, MessageBody: &body, MessageGroupId: &lane, MessageDeduplicationId: &id,
		})
		if err != nil {
			return fmt.Errorf("send to %s: %w", a.URL, err)
		}
	}
	return nil
}
