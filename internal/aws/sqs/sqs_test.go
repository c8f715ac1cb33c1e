package awssqs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

var errDown = errors.New("down")

// api answers as told and keeps what it was asked.
type api struct {
	received  *sdk.ReceiveMessageOutput
	refuse    map[string]bool // receipt handles whose delete or change is refused
	err       error
	deletes   [][]string
	sends     []*sdk.SendMessageInput
	sendFails int // the send, from 1, that fails

	mu          sync.Mutex
	changes     []*sdk.ChangeMessageVisibilityBatchInput
	changeFails int // the change, from 1, that fails
}

func (a *api) ReceiveMessage(_ context.Context, in *sdk.ReceiveMessageInput, _ ...func(*sdk.Options)) (*sdk.ReceiveMessageOutput, error) {
	return a.received, a.err
}

func (a *api) DeleteMessageBatch(_ context.Context, in *sdk.DeleteMessageBatchInput, _ ...func(*sdk.Options)) (
	*sdk.DeleteMessageBatchOutput, error) {
	out := &sdk.DeleteMessageBatchOutput{}
	var handles []string
	for _, e := range in.Entries {
		handles = append(handles, *e.ReceiptHandle)
		if a.refuse[*e.ReceiptHandle] {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("ReceiptHandleIsInvalid")})
		}
	}
	a.deletes = append(a.deletes, handles)
	return out, a.err
}

func (a *api) ChangeMessageVisibilityBatch(_ context.Context, in *sdk.ChangeMessageVisibilityBatchInput, _ ...func(*sdk.Options)) (
	*sdk.ChangeMessageVisibilityBatchOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes = append(a.changes, in)
	out := &sdk.ChangeMessageVisibilityBatchOutput{}
	for _, e := range in.Entries {
		if a.refuse[*e.ReceiptHandle] {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("ReceiptHandleIsInvalid")})
		}
	}
	if len(a.changes) == a.changeFails {
		return nil, errDown
	}
	return out, a.err
}

func (a *api) SendMessage(_ context.Context, in *sdk.SendMessageInput, _ ...func(*sdk.Options)) (*sdk.SendMessageOutput, error) {
	a.sends = append(a.sends, in)
	if len(a.sends) == a.sendFails {
		return nil, errDown
	}
	return &sdk.SendMessageOutput{}, nil
}

func TestReceiveAsLambdaHandsItOn(t *testing.T) {
	t.Parallel()
	a := &api{received: &sdk.ReceiveMessageOutput{Messages: []types.Message{{
		MessageId: aws.String("m"), ReceiptHandle: aws.String("r"), Body: aws.String("b"), MD5OfBody: aws.String("x"),
		Attributes: map[string]string{"ApproximateReceiveCount": "3"},
		MessageAttributes: map[string]types.MessageAttributeValue{
			"efferent-id": {DataType: aws.String("String"), StringValue: aws.String("evt_1")},
		},
	}}}}
	got, err := (&Queue{API: a, URL: "u", ARN: "arn", Region: "us-east-1"}).Receive(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []events.SQSMessage{{
		MessageId: "m", ReceiptHandle: "r", Body: "b", Md5OfBody: "x", Attributes: map[string]string{"ApproximateReceiveCount": "3"},
		MessageAttributes: map[string]events.SQSMessageAttribute{"efferent-id": {
			DataType: "String", StringValue: aws.String("evt_1"), StringListValues: []string{}, BinaryListValues: [][]byte{},
		}},
		EventSource: "aws:sqs", EventSourceARN: "arn", AWSRegion: "us-east-1",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	var messages []events.SQSMessage
	for i := range 21 {
		messages = append(messages, events.SQSMessage{ReceiptHandle: fmt.Sprint("r", i)})
	}
	a := &api{refuse: map[string]bool{"r3": true, "r20": true}}
	err := (&Queue{API: a, URL: "u"}).Delete(t.Context(), messages)
	if len(a.deletes) != 3 || len(a.deletes[0]) != 10 || len(a.deletes[2]) != 1 || a.deletes[2][0] != "r20" {
		t.Errorf("deleted %v", a.deletes)
	}
	if err == nil || strings.Count(err.Error(), "ReceiptHandleIsInvalid") != 2 {
		t.Errorf("got %v, want both refusals", err)
	}
	a = &api{err: errDown}
	if err := (&Queue{API: a, URL: "u"}).Delete(t.Context(), messages); !errors.Is(err, errDown) || len(a.deletes) != 3 {
		t.Errorf("got %v after %d requests; one that fails must not keep the others from being deleted", err, len(a.deletes))
	}
}

// hidden is for how many seconds which receipt was to be hidden.
func (a *api) hidden() map[string]int32 {
	all := map[string]int32{}
	for _, in := range a.changes {
		for _, e := range in.Entries {
			all[*e.ReceiptHandle] = e.VisibilityTimeout
		}
	}
	return all
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	var hides []message.Hide
	want := map[string]int32{}
	for i := range 21 {
		hides = append(hides, message.Hide{ReceiptHandle: fmt.Sprint("r", i), For: time.Duration(i) * time.Second})
		want[fmt.Sprint("r", i)] = int32(i)
	}
	some := map[string]bool{"r3": true, "r4": true, "r20": true}
	for name, c := range map[string]struct {
		api      *api
		hides    []message.Hide
		requests int
		says     string
		is       error
	}{
		"all":              {&api{}, hides, 3, "", nil},
		"none":             {&api{}, nil, 0, "", nil},
		"some are refused": {&api{refuse: some}, hides, 3, "of 21 messages of u: 3 refused, the first by ReceiptHandleIsInvalid", nil},
		"a request fails":  {&api{changeFails: 2}, hides, 3, "of 21 messages of u: ", errDown},
		"nothing answers":  {&api{err: errDown}, hides, 3, "1 of them: down", errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := (&Queue{API: c.api, URL: "u"}).ChangeVisibility(t.Context(), c.hides)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if got := c.api.hidden(); len(c.api.changes) != c.requests || len(c.hides) > 0 && !maps.Equal(got, want) {
				t.Errorf("asked in %d requests for %v; one that fails must not keep the others from being hidden", len(c.api.changes), got)
			}
			for _, in := range c.api.changes {
				if *in.QueueUrl != "u" || len(in.Entries) > 10 {
					t.Errorf("asked %s for %d", *in.QueueUrl, len(in.Entries))
				}
			}
		})
	}
}

func TestAuditAppend(t *testing.T) {
	t.Parallel()
	var large []ledger.Entry // more than one message holds
	for i := range 500 {
		large = append(large, ledger.Entry{Action: "a", ID: fmt.Sprint(i), Resource: strings.Repeat("r", 2000)})
	}
	a := &api{}
	audit := &Audit{API: a, URL: "u", Lanes: 4}
	if err := audit.Append(t.Context(), "key", large); err != nil {
		t.Fatal(err)
	}
	if len(a.sends) != 2 || *a.sends[0].MessageGroupId != *a.sends[1].MessageGroupId || *a.sends[0].MessageGroupId != ledger.Lane("key", 4) {
		t.Errorf("%d sends, or not all of one lane", len(a.sends))
	}
	if id := *a.sends[0].MessageDeduplicationId; id != ledger.DeduplicationID([]byte(*a.sends[0].MessageBody)) ||
		id == *a.sends[1].MessageDeduplicationId {
		t.Error("the deduplication id is not the body's")
	}
	a = &api{sendFails: 1}
	if err := (&Audit{API: a, URL: "u"}).Append(t.Context(), "key", large); !errors.Is(err, errDown) || len(a.sends) != 1 {
		t.Errorf("got %v after %d sends; what follows a failed send must wait for it", err, len(a.sends))
	}
	if err := audit.Append(t.Context(), "key", nil); err != nil {
		t.Errorf("nothing to append: %v", err)
	}
}
