package life

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// queues is the SQS engine as its callers see it: every call is numbered, and
// nobody waits by the machine's clock. It notes when hidden messages show.
type queues struct {
	*sqsserver.Engine
	w *world
	// moved is told of each move task that has ended.
	moved chan struct{}
}

type operation[In, Out any] func(context.Context, *In, ...func(*sqs.Options)) (*Out, error)

// called makes a numbered call of an operation.
func called[In, Out any](ctx context.Context, q *queues, what string, do operation[In, Out], in *In) (out *Out, err error) {
	err = q.w.calls.do(ctx, what, func() (err error) {
		out, err = do(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func queueName(url *string) string { return path.Base(*url) }

// ReceiveMessage looks once. A long poll that brings nothing takes its time.
func (q *queues) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	short := *in
	short.WaitTimeSeconds = 0
	what := "receive " + queueName(in.QueueUrl)
	if q.w.count(queueName(in.QueueUrl), "ApproximateNumberOfMessages") == 0 {
		what += ", empty"
	} else {
		q.w.wakeIn(time.Duration(in.VisibilityTimeout) * time.Second)
	}
	out, err := called(ctx, q, what, q.Engine.ReceiveMessage, &short)
	var full *types.OverLimit
	if errors.As(err, &full) { // a long poll brings no error then
		out, err = &sqs.ReceiveMessageOutput{}, nil
	}
	if err == nil && len(out.Messages) == 0 {
		q.w.clock.Advance(time.Duration(in.WaitTimeSeconds) * time.Second)
	}
	return out, err
}

func (q *queues) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (
	*sqs.DeleteMessageBatchOutput, error) {
	return called(ctx, q, "delete "+queueName(in.QueueUrl), q.Engine.DeleteMessageBatch, in)
}

func (q *queues) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityOutput, error) {
	q.w.wakeIn(time.Duration(in.VisibilityTimeout) * time.Second)
	return called(ctx, q, fmt.Sprintf("hide %s %ds", queueName(in.QueueUrl), in.VisibilityTimeout), q.Engine.ChangeMessageVisibility, in)
}

func (q *queues) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityBatchOutput, error) {
	var waits []string
	for _, e := range in.Entries {
		waits = append(waits, fmt.Sprintf("%ds", e.VisibilityTimeout))
		q.w.wakeIn(time.Duration(e.VisibilityTimeout) * time.Second)
	}
	return called(ctx, q, fmt.Sprintf("hide %s %s", queueName(in.QueueUrl), strings.Join(waits, " ")),
		q.Engine.ChangeMessageVisibilityBatch, in)
}

func (q *queues) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	q.w.wakeIn(time.Duration(in.DelaySeconds) * time.Second)
	return called(ctx, q, "send "+queueName(in.QueueUrl), q.Engine.SendMessage, in)
}

func (q *queues) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (
	*sqs.SendMessageBatchOutput, error) {
	for _, e := range in.Entries {
		q.w.wakeIn(time.Duration(e.DelaySeconds) * time.Second)
	}
	return called(ctx, q, "send "+queueName(in.QueueUrl), q.Engine.SendMessageBatch, in)
}

func (q *queues) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (
	*sqs.GetQueueAttributesOutput, error) {
	return called(ctx, q, "count "+queueName(in.QueueUrl), q.Engine.GetQueueAttributes, in)
}

func (q *queues) ListMessageMoveTasks(ctx context.Context, in *sqs.ListMessageMoveTasksInput, _ ...func(*sqs.Options)) (
	*sqs.ListMessageMoveTasksOutput, error) {
	return called(ctx, q, "tasks", q.Engine.ListMessageMoveTasks, in)
}

// StartMessageMoveTask returns when everything is moved.
func (q *queues) StartMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput, _ ...func(*sqs.Options)) (
	*sqs.StartMessageMoveTaskOutput, error) {
	return called(ctx, q, "move", q.move, in)
}

func (q *queues) move(ctx context.Context, in *sqs.StartMessageMoveTaskInput, _ ...func(*sqs.Options)) (
	*sqs.StartMessageMoveTaskOutput, error) {
	out, err := q.Engine.StartMessageMoveTask(ctx, in)
	if err == nil {
		<-q.moved
	}
	return out, err
}
