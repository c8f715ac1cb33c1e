package sqsserver

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/localaws/awsjson"
)

// operations are the ones there are, by the name in X-Amz-Target.
func operations(e *Engine) map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateQueue":                  atHost(awsjson.Decoded(e.createWire)),
		"GetQueueUrl":                  atHost(called(e.GetQueueUrl)),
		"ListQueues":                   atHost(called(e.ListQueues)),
		"DeleteQueue":                  called(e.DeleteQueue),
		"PurgeQueue":                   called(e.PurgeQueue),
		"ListDeadLetterSourceQueues":   atHost(called(e.ListDeadLetterSourceQueues)),
		"TagQueue":                     called(e.TagQueue),
		"UntagQueue":                   called(e.UntagQueue),
		"ListQueueTags":                called(e.ListQueueTags),
		"AddPermission":                called(e.AddPermission),
		"RemovePermission":             called(e.RemovePermission),
		"GetQueueAttributes":           called(e.GetQueueAttributes),
		"SetQueueAttributes":           called(e.SetQueueAttributes),
		"SendMessage":                  ofRequest(e.sendWire),
		"SendMessageBatch":             ofRequest(e.sendBatchWire),
		"ReceiveMessage":               ofRequest(e.receiveWire),
		"DeleteMessage":                called(e.DeleteMessage),
		"DeleteMessageBatch":           called(e.DeleteMessageBatch),
		"ChangeMessageVisibility":      awsjson.Decoded(e.changeWire),
		"ChangeMessageVisibilityBatch": awsjson.Decoded(e.changeBatchWire),
		"StartMessageMoveTask":         called(e.StartMessageMoveTask),
		"ListMessageMoveTasks":         called(e.ListMessageMoveTasks),
		"CancelMessageMoveTask":        called(e.CancelMessageMoveTask),
	}
}

// ofRequest is an operation that also looks at its request's headers.
func ofRequest[In, Out any](run func(*http.Request, *In) (*Out, error)) awsjson.Operation {
	return func(r *http.Request, decode func(any) error) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		out, err := run(r, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// traceHeader becomes AWSTraceHeader of all messages of a request ("Amazon SQS
// and AWS X-Ray").
func traceHeader(r *http.Request) string {
	if v := r.Header["X-Amzn-Trace-Id"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

type wireCreate struct {
	*sqs.CreateQueueInput
	Tags map[string]string `json:"tags"` // the model's spelling, here only
}

func (e *Engine) createWire(ctx context.Context, in *wireCreate) (*sqs.CreateQueueOutput, error) {
	if in.CreateQueueInput == nil {
		return nil, missingParameter("QueueName")
	}
	in.CreateQueueInput.Tags = in.Tags
	return e.CreateQueue(ctx, in.CreateQueueInput)
}

// The SDK's structs can't tell a number that is 0 from one that is missing;
// in requests that differs.

type wireSend struct {
	*sqs.SendMessageInput
	DelaySeconds *int32
}

func (e *Engine) sendWire(r *http.Request, in *wireSend) (*sqs.SendMessageOutput, error) {
	if in.SendMessageInput == nil {
		return nil, missingParameter("QueueUrl")
	}
	return e.sendOne(r.Context(), in.SendMessageInput, in.DelaySeconds, traceHeader(r))
}

type wireSendBatch struct {
	QueueUrl *string
	Entries  []struct {
		types.SendMessageBatchRequestEntry
		DelaySeconds *int32
	}
}

func (e *Engine) sendBatchWire(r *http.Request, in *wireSendBatch) (*sqs.SendMessageBatchOutput, error) {
	entries := make([]sendEntry, len(in.Entries))
	for i, entry := range in.Entries {
		entries[i] = sendEntry{entry.SendMessageBatchRequestEntry, entry.DelaySeconds, traceHeader(r)}
	}
	return e.sendBatch(r.Context(), in.QueueUrl, entries)
}

type wireReceive struct {
	*sqs.ReceiveMessageInput
	MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds *int32
}

func (e *Engine) receiveWire(r *http.Request, in *wireReceive) (*sqs.ReceiveMessageOutput, error) {
	if in.ReceiveMessageInput == nil {
		return nil, missingParameter("QueueUrl")
	}
	//lint:ignore SA1019 older clients still send AttributeNames
	if len(in.AttributeNames) > 0 && len(r.Header["X-Amz-Target"]) == 0 {
		// In the query protocol the older list goes before the newer one
		// (LocalStack's snapshot of test_message_system_attribute_names_with_attribute_names).
		in.MessageSystemAttributeNames = nil
	}
	return e.receiveSome(r.Context(), &receiveInput{in.ReceiveMessageInput, in.MaxNumberOfMessages, in.VisibilityTimeout, in.WaitTimeSeconds},
		10, false)
}

type wireChange struct {
	*sqs.ChangeMessageVisibilityInput
	VisibilityTimeout *int32
}

func (e *Engine) changeWire(ctx context.Context, in *wireChange) (*sqs.ChangeMessageVisibilityOutput, error) {
	if in.ChangeMessageVisibilityInput == nil {
		return nil, missingParameter("QueueUrl")
	}
	if in.VisibilityTimeout == nil {
		return nil, missingParameter("VisibilityTimeout")
	}
	in.ChangeMessageVisibilityInput.VisibilityTimeout = *in.VisibilityTimeout
	return e.ChangeMessageVisibility(ctx, in.ChangeMessageVisibilityInput)
}

type wireChangeBatch struct {
	QueueUrl *string
	Entries  []struct {
		types.ChangeMessageVisibilityBatchRequestEntry
		VisibilityTimeout *int32
	}
}

func (e *Engine) changeBatchWire(ctx context.Context, in *wireChangeBatch) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(in.Entries))
	for i, entry := range in.Entries {
		entries[i] = entry.ChangeMessageVisibilityBatchRequestEntry
		if entry.VisibilityTimeout == nil {
			return nil, missingParameter("VisibilityTimeout")
		}
		entries[i].VisibilityTimeout = *entry.VisibilityTimeout
	}
	return e.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: in.QueueUrl, Entries: entries})
}

// encoding leaves out what is not set, but for the numbers and truths that
// AWS always gives.
var encoding = json.JoinOptions(
	json.OmitZeroStructFields(true),
	json.WithMarshalers(json.JoinMarshalers(
		as(func(v types.BatchResultErrorEntry) any {
			return struct {
				*types.BatchResultErrorEntry
				SenderFault *bool
			}{&v, &v.SenderFault}
		}),
		as(func(v types.ListMessageMoveTasksResultEntry) any {
			return struct {
				*types.ListMessageMoveTasksResultEntry
				ApproximateNumberOfMessagesMoved *int64
			}{&v, &v.ApproximateNumberOfMessagesMoved}
		}),
		as(func(v sqs.ListDeadLetterSourceQueuesOutput) any {
			return struct {
				NextToken *string
				QueueUrls []string `json:"queueUrls"` // the model's spelling, here only
			}{v.NextToken, v.QueueUrls}
		}),
		as(func(v sqs.CancelMessageMoveTaskOutput) any {
			return struct{ ApproximateNumberOfMessagesMoved *int64 }{&v.ApproximateNumberOfMessagesMoved}
		}),
	)),
)

func as[T any](shape func(T) any) *json.Marshalers {
	return json.MarshalToFunc(func(enc *jsontext.Encoder, v T) error { return json.MarshalEncode(enc, shape(v)) })
}
