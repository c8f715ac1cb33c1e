package sqsserver

import (
	"context"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// In the SDK's input structs a zero number means that none is given, as on
// its client.
func given(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// SendMessage sends one message. It is durable when SendMessage returns.
func (e *Engine) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	return e.sendOne(ctx, in, given(in.DelaySeconds), "")
}

func (e *Engine) sendOne(ctx context.Context, in *sqs.SendMessageInput, delay *int32, header string) (*sqs.SendMessageOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	entry := &sendEntry{delay: delay, header: header, SendMessageBatchRequestEntry: types.SendMessageBatchRequestEntry{
		MessageBody: in.MessageBody, MessageAttributes: in.MessageAttributes,
		MessageSystemAttributes: in.MessageSystemAttributes,
		MessageGroupId:          in.MessageGroupId, MessageDeduplicationId: in.MessageDeduplicationId,
	}}
	s, err := entry.check(q.config.Load(), "are invalid")
	if err != nil {
		return nil, err
	}
	if err := e.send(ctx, q, []*sending{s}); err != nil {
		return nil, err
	}
	r := s.result(q)
	return &sqs.SendMessageOutput{
		MessageId: r.MessageId, MD5OfMessageBody: r.MD5OfMessageBody,
		MD5OfMessageAttributes: r.MD5OfMessageAttributes, MD5OfMessageSystemAttributes: r.MD5OfMessageSystemAttributes,
		SequenceNumber: r.SequenceNumber,
	}, nil
}

// SendMessageBatch sends up to ten messages. Those that can't be sent are
// told apart in the answer.
func (e *Engine) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (
	*sqs.SendMessageBatchOutput, error) {
	entries := make([]sendEntry, len(in.Entries))
	for i, entry := range in.Entries {
		entries[i] = sendEntry{entry, given(entry.DelaySeconds), ""}
	}
	return e.sendBatch(ctx, in.QueueUrl, entries)
}

func (e *Engine) sendBatch(ctx context.Context, url *string, entries []sendEntry) (*sqs.SendMessageBatchOutput, error) {
	q, err := e.at(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(entries), func(i int) *string { return entries[i].Id }); err != nil {
		return nil, err
	}
	c := q.config.Load()
	if err := checkIDs(entries, c); err != nil {
		return nil, err
	}
	out := &sqs.SendMessageBatchOutput{}
	var batch []*sending
	total := 0
	for i := range entries {
		s, err := entries[i].check(c, "cannot be validated") // LocalStack's snapshot of test_send_batch_message_size
		if err != nil {
			out.Failed = append(out.Failed, batchFailure(entries[i].Id, err))
			total += entries[i].size()
			continue
		}
		batch = append(batch, s)
		total += s.content.size
	}
	if total > maxMessageSize {
		return nil, batchTooLong(total)
	}
	if err := e.send(ctx, q, batch); err != nil {
		for _, s := range batch {
			out.Failed = append(out.Failed, batchFailure(s.entry.Id, err))
		}
		return out, nil
	}
	for _, s := range batch {
		out.Successful = append(out.Successful, s.result(q))
	}
	return out, nil
}

// result is what the sender of s is told.
func (s *sending) result(q *queue) types.SendMessageBatchResultEntry {
	r := types.SendMessageBatchResultEntry{
		Id: s.entry.Id, MD5OfMessageBody: &s.content.md5,
		MD5OfMessageAttributes: md5OfAttributes(s.content.attributes),
	}
	if len(s.entry.MessageSystemAttributes) > 0 {
		r.MD5OfMessageSystemAttributes = md5OfAttributes(map[string]types.MessageAttributeValue{
			string(types.MessageSystemAttributeNameAWSTraceHeader): {DataType: aws.String("String"), StringValue: &s.content.trace},
		})
	}
	id, seq := s.id, s.seq
	if s.original != nil {
		id, seq = s.original.id, s.original.key
	}
	r.MessageId = aws.String(formatID(id))
	if q.fifo {
		r.SequenceNumber = aws.String(sequenceNumber(seq))
	}
	return r
}

// ReceiveMessage receives up to ten messages, waiting as long as is asked
// for. A caller that goes away while it waits takes nothing along.
func (e *Engine) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	return e.receiveSome(ctx, &receiveInput{in, given(in.MaxNumberOfMessages), given(in.VisibilityTimeout), given(in.WaitTimeSeconds)},
		10, false)
}

// receiveInput is a ReceiveMessage whose numbers may be given as 0.
type receiveInput struct {
	*sqs.ReceiveMessageInput
	max, visibility, wait *int32
}

func (e *Engine) receiveSome(ctx context.Context, in *receiveInput, most int32, leased bool) (*sqs.ReceiveMessageOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	c := q.config.Load()
	r := &receiving{max: 1, visibility: c.visibility, wait: c.wait, leased: leased, names: parseAttributeNames(in.MessageAttributeNames)}
	//lint:ignore SA1019 older clients still send AttributeNames
	if r.system, err = parseSystemNames(in.MessageSystemAttributeNames, in.AttributeNames); err != nil {
		return nil, err
	}
	if id := in.ReceiveRequestAttemptId; id != nil {
		if r.attempt = *id; !q.fifo {
			return nil, invalidValue("ReceiveRequestAttemptId", *id, "The request include parameter that is not valid for this queue type.")
		}
		if !identifier.MatchString(*id) {
			return nil, invalidValue("ReceiveRequestAttemptId", *id,
				"ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
		}
	}
	if n := in.max; n != nil {
		if *n < 1 || *n > most {
			return nil, invalidValue("MaxNumberOfMessages", *n, "Must be between 1 and 10, if provided.")
		}
		r.max = int(*n)
	}
	if n := in.visibility; n != nil {
		if r.visibility = time.Duration(*n) * time.Second; *n < 0 || r.visibility > maxVisibility {
			return nil, invalidValue("VisibilityTimeout", *n, "Must be between 0 and 43200, if provided.")
		}
	}
	if n := in.wait; n != nil {
		if r.wait = time.Duration(*n) * time.Second; *n < 0 || *n > 20 {
			return nil, invalidValue("WaitTimeSeconds", *n, "Must be >= 0 and <= 20, if provided.")
		}
	}
	messages, err := e.receive(ctx, q, r)
	if err != nil {
		return nil, err
	}
	return &sqs.ReceiveMessageOutput{Messages: messages}, nil
}

// DeleteMessage deletes a received message.
func (e *Engine) DeleteMessage(ctx context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == nil {
		return nil, missingParameter("ReceiptHandle")
	}
	if err := e.deleteAll(ctx, q, []string{*in.ReceiptHandle})[0]; err != nil {
		return nil, err
	}
	return &sqs.DeleteMessageOutput{}, nil
}

// DeleteMessageBatch deletes up to ten received messages.
func (e *Engine) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (
	*sqs.DeleteMessageBatchOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(in.Entries), func(i int) *string { return in.Entries[i].Id }); err != nil {
		return nil, err
	}
	handles := make([]string, len(in.Entries))
	for i, entry := range in.Entries {
		handles[i] = aws.ToString(entry.ReceiptHandle)
	}
	out := &sqs.DeleteMessageBatchOutput{}
	for i, err := range e.deleteAll(ctx, q, handles) {
		if id := in.Entries[i].Id; err != nil {
			out.Failed = append(out.Failed, batchFailure(id, err))
		} else {
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: id})
		}
	}
	return out, nil
}

// ChangeMessageVisibility makes a message in flight visible after a time that
// counts from now.
func (e *Engine) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == nil {
		return nil, missingParameter("ReceiptHandle")
	}
	list := []visibilityChange{{handle: *in.ReceiptHandle, timeout: in.VisibilityTimeout}}
	if err := e.changeAll(ctx, q, list)[0]; err != nil {
		return nil, err
	}
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

// ChangeMessageVisibilityBatch does so for up to ten messages.
func (e *Engine) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (
	*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(in.Entries), func(i int) *string { return in.Entries[i].Id }); err != nil {
		return nil, err
	}
	list := make([]visibilityChange, len(in.Entries))
	for i, entry := range in.Entries {
		list[i] = visibilityChange{handle: aws.ToString(entry.ReceiptHandle), timeout: entry.VisibilityTimeout}
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for i, err := range e.changeAll(ctx, q, list) {
		if id := in.Entries[i].Id; err != nil {
			out.Failed = append(out.Failed, batchFailure(id, err))
		} else {
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: id})
		}
	}
	return out, nil
}

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch checks what all batches have in common.
func checkBatch(n int, id func(i int) *string) error {
	switch {
	case n == 0:
		return emptyBatch()
	case n > 10:
		return tooManyEntries(n)
	}
	seen := make(map[string]bool, n)
	for i := range n {
		name := aws.ToString(id(i))
		switch {
		case !batchEntryID.MatchString(name):
			return invalidBatchEntryID()
		case seen[name]:
			return idsNotDistinct(name)
		}
		seen[name] = true
	}
	return nil
}
