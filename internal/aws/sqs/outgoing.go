package awssqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// SendBatchAPI is what sending many messages takes.
type SendBatchAPI interface {
	SendMessageBatch(context.Context, *sdk.SendMessageBatchInput, ...func(*sdk.Options)) (*sdk.SendMessageBatchOutput, error)
}

// Outgoing sends messages back to the queues that they waited for. It may be used
// by many goroutines at once.
type Outgoing struct {
	API SendBatchAPI
	// URLs are the queues', by their names.
	URLs map[string]string
}

// Send is as waiting.Sender has it: ten messages and 1 MiB in all a request at
// most, several requests at a time.
func (o *Outgoing) Send(ctx context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	url, ok := o.URLs[queue]
	if !ok {
		return nil, fmt.Errorf("send to %q: there is no queue of that name here", queue)
	}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(parallel)
	for from, to := range requests(messages) {
		g.Go(func() error {
			some, sendErr := o.sendBatch(ctx, url, messages[from:to])
			mu.Lock()
			defer mu.Unlock()
			for _, i := range some {
				sent = append(sent, from+i)
			}
			err = errors.Join(err, sendErr)
			return nil
		})
	}
	_ = g.Wait()
	slices.Sort(sent)
	return sent, err
}

// requests cuts messages into what one request takes: batchLimit of them, and
// message.MaxSize bytes ("Amazon SQS message quotas").
func requests(messages []waiting.Outgoing) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		from, size := 0, 0
		for i := range messages {
			one := sizeOf(&messages[i])
			if i > from && (i-from == batchLimit || size+one > message.MaxSize) {
				if !yield(from, i) {
					return
				}
				from, size = i, 0
			}
			size += one
		}
		if from < len(messages) {
			yield(from, len(messages))
		}
	}
}

func sizeOf(m *waiting.Outgoing) int {
	size := len(m.Body)
	for name, a := range m.Attributes {
		size += a.Size(name)
	}
	return size
}

// sendBatch sends what one request takes.
func (o *Outgoing) sendBatch(ctx context.Context, url string, messages []waiting.Outgoing) (sent []int, err error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i := range messages {
		entries[i] = sendEntry(batchIDs[i], &messages[i])
	}
	out, err := o.API.SendMessageBatch(ctx, &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("send %d messages to %s: %w", len(messages), url, err)
	}
	for _, s := range out.Successful {
		if i := slices.Index(batchIDs[:len(messages)], aws.ToString(s.Id)); i >= 0 {
			sent = append(sent, i)
		}
	}
	if len(out.Failed) > 0 {
		err = fmt.Errorf("send %d messages to %s: refused for %d: %s", len(messages), url, len(out.Failed), aws.ToString(out.Failed[0].Code))
	}
	return sent, err
}

func sendEntry(id string, m *waiting.Outgoing) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &m.Body, DelaySeconds: int32(m.Delay / time.Second)}
	if m.Group != "" {
		e.MessageGroupId = &m.Group
	}
	if len(m.Attributes) > 0 {
		e.MessageAttributes = make(map[string]types.MessageAttributeValue, len(m.Attributes))
	}
	for name, a := range m.Attributes {
		v := types.MessageAttributeValue{DataType: &a.Type}
		if strings.HasPrefix(a.Type, "Binary") {
			v.BinaryValue = a.Binary
		} else {
			v.StringValue = &a.Text
		}
		e.MessageAttributes[name] = v
	}
	return e
}
