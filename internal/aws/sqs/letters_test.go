package awssqs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/deadletter"
)

// lettersAPI answers as told and keeps what it was asked.
type lettersAPI struct {
	api
	polled     *sdk.ReceiveMessageInput
	requests   int
	attributes map[string]string
	started    *sdk.StartMessageMoveTaskInput
	moves      []types.ListMessageMoveTasksResultEntry
	moveErr    error
}

func (a *lettersAPI) ReceiveMessage(_ context.Context, in *sdk.ReceiveMessageInput, _ ...func(*sdk.Options)) (
	*sdk.ReceiveMessageOutput, error) {
	a.polled = in
	return a.received, a.err
}

func (a *lettersAPI) GetQueueAttributes(context.Context, *sdk.GetQueueAttributesInput, ...func(*sdk.Options)) (
	*sdk.GetQueueAttributesOutput, error) {
	a.requests++
	return &sdk.GetQueueAttributesOutput{Attributes: a.attributes}, a.err
}

func (a *lettersAPI) StartMessageMoveTask(_ context.Context, in *sdk.StartMessageMoveTaskInput, _ ...func(*sdk.Options)) (
	*sdk.StartMessageMoveTaskOutput, error) {
	a.started = in
	return &sdk.StartMessageMoveTaskOutput{}, a.moveErr
}

func (a *lettersAPI) ListMessageMoveTasks(context.Context, *sdk.ListMessageMoveTasksInput, ...func(*sdk.Options)) (
	*sdk.ListMessageMoveTasksOutput, error) {
	return &sdk.ListMessageMoveTasksOutput{Results: a.moves}, a.moveErr
}

func (a *lettersAPI) CancelMessageMoveTask(context.Context, *sdk.CancelMessageMoveTaskInput, ...func(*sdk.Options)) (
	*sdk.CancelMessageMoveTaskOutput, error) {
	return nil, a.moveErr
}

func TestLettersReceive(t *testing.T) {
	t.Parallel()
	a := &lettersAPI{api: api{received: &sdk.ReceiveMessageOutput{
		Messages: []types.Message{{MessageId: aws.String("m"), Attributes: map[string]string{"SentTimestamp": "1"}}}}}}
	got, err := (&Letters{API: a, URL: "u"}).Receive(t.Context(), 30*time.Second, time.Second)
	if err != nil || len(got) != 1 || got[0].MessageId != "m" || got[0].Attributes["SentTimestamp"] != "1" {
		t.Errorf("got %+v, %v", got, err)
	}
	if a.polled.VisibilityTimeout != 30 || a.polled.WaitTimeSeconds != 1 || a.polled.MaxNumberOfMessages != 10 ||
		a.polled.MessageSystemAttributeNames[0] != "All" || a.polled.MessageAttributeNames[0] != "All" {
		t.Errorf("asked for %+v", a.polled)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	var messages []events.SQSMessage
	for i := range 34 {
		messages = append(messages, events.SQSMessage{ReceiptHandle: fmt.Sprint("r", i)})
	}
	a := &lettersAPI{api: api{refuse: map[string]bool{"r3": true}}}
	err := (&Letters{API: a, URL: "u"}).Show(t.Context(), messages)
	if err == nil || !strings.Contains(err.Error(), "1 refused, the first by ReceiptHandleIsInvalid") {
		t.Errorf("got %v", err)
	}
	shown := a.hidden()
	for receipt, seconds := range shown {
		if seconds != 0 {
			t.Errorf("%s is hidden for %d s", receipt, seconds)
		}
	}
	if len(shown) != len(messages) || len(a.changes) != 4 {
		t.Errorf("%d shown in %d requests", len(shown), len(a.changes))
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	all := map[string]string{"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2",
		"ApproximateNumberOfMessagesDelayed": "1", "MessageRetentionPeriod": "1209600"}
	got, err := (&Letters{API: &lettersAPI{attributes: all}, URL: "u"}).Count(t.Context())
	if want := (deadletter.Count{Visible: 3, Hidden: 2, Delayed: 1, Retention: 14 * 24 * time.Hour}); err != nil || got != want ||
		got.Total() != 6 {
		t.Errorf("got %+v, %v", got, err)
	}
	delete(all, "ApproximateNumberOfMessages")
	if _, err := (&Letters{API: &lettersAPI{attributes: all}, URL: "u"}).Count(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "ApproximateNumberOfMessages") {
		t.Errorf("got %v of an answer without a number", err)
	}
	delete(all, "MessageRetentionPeriod")
	all["ApproximateNumberOfMessages"] = "3"
	if got, err := (&Letters{API: &lettersAPI{attributes: all}, URL: "u"}).Count(t.Context()); err != nil || got.Retention != 14*24*time.Hour {
		t.Errorf("an endpoint that tells no retention, as ElasticMQ: %+v, %v", got, err)
	}
}

func TestSourceSend(t *testing.T) {
	t.Parallel()
	text := func(s string) events.SQSMessageAttribute {
		return events.SQSMessageAttribute{DataType: "String", StringValue: &s}
	}
	m := events.SQSMessage{Body: "b", Attributes: map[string]string{"MessageGroupId": "acme"},
		MessageAttributes: map[string]events.SQSMessageAttribute{
			"efferent-retry": text("old"), "efferent-held": text("trouble=86400"), "bytes": {DataType: "Binary.png", BinaryValue: []byte{1}},
		}}
	a := &lettersAPI{}
	source := &Source{API: a, URL: "u"}
	if _, err := source.Send(t.Context(), m, map[string]string{"efferent-retry": "replay", "efferent-id": "evt_1"}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, v := range a.sends[0].MessageAttributes {
		got[name] = *v.DataType + ":" + aws.ToString(v.StringValue) + string(v.BinaryValue)
	}
	want := map[string]string{"efferent-retry": "String:replay", "efferent-id": "String:evt_1", "bytes": "Binary.png:\x01"}
	if diff := cmp.Diff(want, got); diff != "" || *a.sends[0].MessageGroupId != "acme" || *a.sends[0].MessageBody != "b" {
		t.Errorf("sent %+v (-want +got):\n%s", a.sends[0], diff)
	}

	delete(m.MessageAttributes, "efferent-held")
	for i := range 12 {
		m.MessageAttributes[fmt.Sprint("own", i)] = text("x")
	}
	m.MessageAttributes["traceparent"] = text("00-4bf9")
	if _, err := source.Send(t.Context(), m, map[string]string{"efferent-id": "evt_1", "efferent-retry": "replay"}); err != nil {
		t.Fatal(err)
	}
	sent := a.sends[1].MessageAttributes
	if len(sent) != 10 || aws.ToString(sent["efferent-id"].StringValue) != "evt_1" ||
		aws.ToString(sent["efferent-retry"].StringValue) != "replay" || aws.ToString(sent["traceparent"].StringValue) != "00-4bf9" {
		t.Errorf("of 15 attributes were sent %v", sent)
	}
}

func TestSourceRefuses(t *testing.T) {
	t.Parallel()
	large := &smithy.GenericAPIError{Code: "InvalidParameterValue",
		Message: "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."}
	for err, want := range map[error]bool{large: true, errDown: false} {
		_, got := (&Source{API: &failingSends{err}, URL: "u"}).Send(t.Context(), events.SQSMessage{}, nil)
		if errors.Is(got, deadletter.ErrTooLarge) != want || !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

type failingSends struct{ err error }

func (f *failingSends) SendMessage(context.Context, *sdk.SendMessageInput, ...func(*sdk.Options)) (*sdk.SendMessageOutput, error) {
	return nil, f.err
}

func TestMoves(t *testing.T) {
	t.Parallel()
	a := &lettersAPI{attributes: map[string]string{"QueueArn": "arn:dlq"}, moves: []types.ListMessageMoveTasksResultEntry{{
		TaskHandle: aws.String("h"), Status: aws.String("RUNNING"), StartedTimestamp: 1_700_000_000_123, ApproximateNumberOfMessagesMoved: 2,
		ApproximateNumberOfMessagesToMove: aws.Int64(5), MaxNumberOfMessagesPerSecond: aws.Int32(7), DestinationArn: aws.String("arn:x"),
		FailureReason: aws.String("why"),
	}}}
	m := &Moves{API: a, URL: "u"}
	if err := m.Start(t.Context(), 7); err != nil || *a.started.SourceArn != "arn:dlq" || *a.started.MaxNumberOfMessagesPerSecond != 7 ||
		a.started.DestinationArn != nil {
		t.Errorf("%v; started %+v", err, a.started)
	}
	if err := m.Start(t.Context(), 0); err != nil || a.started.MaxNumberOfMessagesPerSecond != nil {
		t.Errorf("%v; started %+v", err, a.started)
	}
	got, err := m.List(t.Context())
	want := []deadletter.Move{{Handle: "h", Status: "RUNNING", Started: time.UnixMilli(1_700_000_000_123).UTC(), Moved: 2, ToMove: 5, Rate: 7,
		Destination: "arn:x", Reason: "why"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if a.requests != 1 {
		t.Errorf("the ARN was asked for %d times", a.requests)
	}
}

func TestMoveErrors(t *testing.T) {
	t.Parallel()
	refusal := func(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }
	for _, c := range []struct {
		name string
		err  error
		is   error
	}{
		{"a second task", refusal("AWS.SimpleQueueService.UnsupportedOperation",
			"There is already a task running. Only one active task is allowed for a source queue arn at a given time."), deadletter.ErrMoving},
		{"a second task on LocalStack", refusal("InvalidParameterValue", "There is already a task running. Only one…"), deadletter.ErrMoving},
		{"no such task", &types.ResourceNotFoundException{Message: aws.String("Task does not exist.")}, deadletter.ErrMoveEnded},
		{"it has ended", refusal("AWS.SimpleQueueService.UnsupportedOperation", "Only active tasks can be cancelled."), deadletter.ErrMoveEnded},
		{"an endpoint without", refusal("InvalidAction", "?"), deadletter.ErrMovesUnsupported},
		{"denied", refusal("AccessDenied", "no"), nil},
		{"no answer", errDown, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := &Moves{API: &lettersAPI{attributes: map[string]string{"QueueArn": "arn:dlq"}, moveErr: c.err}, URL: "u"}
			for what, err := range map[string]error{"start": m.Start(t.Context(), 0), "cancel": m.Cancel(t.Context(), "h")} {
				if !errors.Is(err, c.err) {
					t.Errorf("%s: %v lost its cause", what, err)
				}
				for _, sentinel := range []error{deadletter.ErrMoving, deadletter.ErrMoveEnded, deadletter.ErrMovesUnsupported} {
					if errors.Is(err, sentinel) != (sentinel == c.is) {
						t.Errorf("%s: %v is %v: %v", what, err, sentinel, errors.Is(err, sentinel))
					}
				}
			}
			list, err := m.List(t.Context())
			if none := errors.Is(c.is, deadletter.ErrMovesUnsupported); none != (err == nil) || len(list) != 0 {
				t.Errorf("list: %v, %v", list, err)
			}
		})
	}
}
