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

	"github.com/efferent/efferent/internal/deadletter"
)

// Moves are the move tasks out of a dead-letter queue. It may be used by many
// goroutines at once.
type Moves struct {
	API MovesAPI
	URL string

	mu  sync.Mutex
	arn string
}

// MovesAPI is what SQS's move tasks take.
type MovesAPI interface {
	AttributesAPI
	StartMessageMoveTask(context.Context, *sdk.StartMessageMoveTaskInput, ...func(*sdk.Options)) (*sdk.StartMessageMoveTaskOutput, error)
	ListMessageMoveTasks(context.Context, *sdk.ListMessageMoveTasksInput, ...func(*sdk.Options)) (*sdk.ListMessageMoveTasksOutput, error)
	CancelMessageMoveTask(context.Context, *sdk.CancelMessageMoveTaskInput, ...func(*sdk.Options)) (*sdk.CancelMessageMoveTaskOutput, error)
}

// queueARN asks for the queue's ARN, once.
func (m *Moves) queueARN(ctx context.Context) (*string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.arn == "" {
		out, err := m.API.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
			QueueUrl: &m.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
		if err != nil {
			return nil, fmt.Errorf("the ARN of %s: %w", m.URL, err)
		}
		m.arn = out.Attributes[string(types.QueueAttributeNameQueueArn)]
	}
	return &m.arn, nil
}

// Start starts a task that moves everything back to where it came from.
func (m *Moves) Start(ctx context.Context, rate int) error {
	arn, err := m.queueARN(ctx)
	if err != nil {
		return err
	}
	in := &sdk.StartMessageMoveTaskInput{SourceArn: arn}
	if rate > 0 {
		in.MaxNumberOfMessagesPerSecond = aws.Int32(int32(rate))
	}
	_, err = m.API.StartMessageMoveTask(ctx, in)
	return m.explain("start a message move task", err)
}

// List returns the latest ten tasks, newest first.
func (m *Moves) List(ctx context.Context) ([]deadletter.Move, error) {
	arn, err := m.queueARN(ctx)
	if err != nil {
		return nil, err
	}
	out, err := m.API.ListMessageMoveTasks(ctx, &sdk.ListMessageMoveTasksInput{SourceArn: arn, MaxResults: aws.Int32(10)})
	if err = m.explain("list the message move tasks", err); errors.Is(err, deadletter.ErrMovesUnsupported) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	moves := make([]deadletter.Move, len(out.Results))
	for i, r := range out.Results {
		moves[i] = deadletter.Move{
			Handle: aws.ToString(r.TaskHandle), Status: aws.ToString(r.Status), Started: time.UnixMilli(r.StartedTimestamp).UTC(),
			Moved: r.ApproximateNumberOfMessagesMoved, ToMove: aws.ToInt64(r.ApproximateNumberOfMessagesToMove),
			Rate: int(aws.ToInt32(r.MaxNumberOfMessagesPerSecond)), Destination: aws.ToString(r.DestinationArn),
			Reason: aws.ToString(r.FailureReason),
		}
	}
	return moves, nil
}

// Cancel cancels a running task.
func (m *Moves) Cancel(ctx context.Context, handle string) error {
	_, err := m.API.CancelMessageMoveTask(ctx, &sdk.CancelMessageMoveTaskInput{TaskHandle: &handle})
	return m.explain("cancel the message move task", err)
}

func (m *Moves) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of %s: %w", what, m.URL, moveError(err))
}
