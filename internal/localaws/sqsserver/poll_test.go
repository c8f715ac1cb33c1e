package sqsserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// poll starts a receive that waits for up to seconds.
func (b *bundle) poll(r receiver, queue string, seconds int32) <-chan []types.Message {
	got := make(chan []types.Message, 1)
	go func() {
		out, err := r.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
			QueueUrl: url(queue), MaxNumberOfMessages: 10, WaitTimeSeconds: seconds})
		if err != nil {
			b.t.Error(err)
			out = &sqs.ReceiveMessageOutput{}
		}
		got <- out.Messages
	}()
	return got
}

// blocked waits until n timers are set: each receive that waits has one, and
// so has each queue that has both those who wait and messages that wait for
// their time.
func (b *bundle) blocked(n int) {
	b.t.Helper()
	b.must(b.clock.BlockUntilContext(b.t.Context(), n))
}

func TestALongPollWakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(b *bundle) any
		timers int
		then   func(b *bundle, v any)
		want   []string
	}{
		"when a message is sent": {nil, 1, func(b *bundle, _ any) { b.send("q", "a") }, []string{"a"}},
		"when a visibility timeout ends": {func(b *bundle) any { b.send("q", "a"); return b.want("q", "a") }, 2,
			func(b *bundle, _ any) { b.advance(30 * time.Second) }, []string{"a"}},
		"when a message is made visible": {func(b *bundle) any { b.send("q", "a"); return b.want("q", "a") }, 2,
			func(b *bundle, v any) { b.must(b.change("q", v.([]types.Message)[0], 0)) }, []string{"a"}},
		"when a timeout was made shorter": {func(b *bundle) any { b.send("q", "a"); return b.want("q", "a") }, 2,
			func(b *bundle, v any) {
				b.must(b.change("q", v.([]types.Message)[0], 3))
				b.advance(3 * time.Second)
			}, []string{"a"}},
		"when a delay ends": {nil, 1, func(b *bundle, _ any) {
			_, err := b.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("a"), DelaySeconds: 2})
			b.must(err)
			b.advance(2 * time.Second)
		}, []string{"a"}},
		"when its time is over": {nil, 1, func(b *bundle, _ any) { b.advance(20 * time.Second) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", attributes{"VisibilityTimeout": "30"})
			var v any
			if c.before != nil {
				v = c.before(b)
				b.advance(15 * time.Second) // so that the timeout ends within the wait
			}
			got := b.poll(b, "q", 20)
			b.blocked(c.timers)
			c.then(b, v)
			if bodies := bodiesOf(<-got); !slices.Equal(bodies, c.want) {
				t.Fatalf("received %q", bodies)
			}
		})
	}
}

func TestTheQueueSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", attributes{"ReceiveMessageWaitTimeSeconds": "7"})
	got := b.poll(b, "q", 0) // 0 is "not given" in the SDK's struct
	b.blocked(1)
	b.advance(7 * time.Second)
	if m := <-got; len(m) != 0 {
		t.Fatalf("received %v", m)
	}
}

func TestEachOfManyWaitersGetsItsMessage(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	var polls []<-chan []types.Message
	for range 5 {
		got := make(chan []types.Message, 1)
		go func() { got <- b.receiveOne(t.Context()) }()
		polls = append(polls, got)
	}
	b.blocked(5)
	batch := &sqs.SendMessageBatchInput{QueueUrl: url("q")}
	for _, body := range []string{"a", "b", "c", "d", "e"} {
		batch.Entries = append(batch.Entries, types.SendMessageBatchRequestEntry{Id: &body, MessageBody: &body})
	}
	_, err := b.SendMessageBatch(t.Context(), batch)
	b.must(err)
	var bodies []string
	for _, got := range polls {
		bodies = append(bodies, bodiesOf(<-got)...)
	}
	slices.Sort(bodies)
	if !slices.Equal(bodies, []string{"a", "b", "c", "d", "e"}) {
		t.Fatalf("received %q", bodies)
	}
}

// receiveOne waits for one message of q, or for ctx to end.
func (b *bundle) receiveOne(ctx context.Context) []types.Message {
	out, err := b.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url("q"), WaitTimeSeconds: 20})
	switch {
	case err == nil:
		return out.Messages
	case ctx.Err() == nil:
		b.t.Error(err)
	}
	return nil
}

// A receiver that leaves may have been woken just then: another one must get
// the message.
func TestAReceiverThatLeavesWakesTheNext(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		leaves, stays := make(chan []types.Message), make(chan []types.Message)
		go func() { leaves <- b.receiveOne(ctx) }()
		b.blocked(1)
		go func() { stays <- b.receiveOne(t.Context()) }()
		b.blocked(2)
		go cancel()
		b.send("q", "a")
		if m := <-leaves; len(m) > 0 { // it was faster than cancel
			b.delete("q", m...)
			b.send("q", "a")
		}
		b.delete("q", <-stays...)
		b.wantCounts("q", 0, 0, 0)
	}
}

func TestAReceiverThatLeavesTakesNothingAlong(t *testing.T) {
	t.Parallel()
	why := errors.New("the client hung up")
	receive := func(ctx context.Context, b *bundle) error {
		_, err := b.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url("q"), WaitTimeSeconds: 20})
		return err
	}
	for name, leave := range map[string]func(b *bundle) error{
		"while it waits": func(b *bundle) error {
			ctx, cancel := context.WithCancelCause(context.Background())
			done := make(chan error)
			go func() { done <- receive(ctx, b) }()
			b.blocked(1)
			cancel(why)
			err := <-done
			b.send("q", "a")
			return err
		},
		"before it begins": func(b *bundle) error {
			b.send("q", "a")
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(why)
			return receive(ctx, b)
		},
		"while its receive is written": func(b *bundle) error {
			b.send("q", "a")
			ctx, cancel := context.WithCancelCause(context.Background())
			b.store.next = func(*sqsserver.Changes) fault { b.store.next = nil; cancel(why); return none }
			return receive(ctx, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", nil)
			if err := leave(b); !errors.Is(err, why) {
				t.Fatalf("got %v", err)
			}
			if m := b.want("q", "a")[0]; m.Attributes["ApproximateReceiveCount"] != "1" {
				t.Fatalf("received %s times", m.Attributes["ApproximateReceiveCount"])
			}
		})
	}
}

func TestAClientThatHangsUpTakesNothingAlong(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
		close(over)
	}))
	t.Cleanup(server.Close)
	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(`{"QueueUrl":"q","WaitTimeSeconds":20}`))
		r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
		if w, err := http.DefaultClient.Do(r); err == nil {
			w.Body.Close()
		}
	}()
	b.blocked(1)
	hangUp()
	<-over
	b.send("q", "a")
	if m := b.want("q", "a")[0]; m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %s times", m.Attributes["ApproximateReceiveCount"])
	}
}

func TestCloseEndsLongPolls(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	done := make(chan error)
	go func() {
		_, err := b.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), WaitTimeSeconds: 20})
		done <- err
	}()
	b.blocked(1)
	b.must(b.Close())
	if err := <-done; !errors.Is(err, sqsserver.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if _, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("x")}); !errors.Is(
		err, sqsserver.ErrClosed) {
		t.Fatalf("after Close: %v", err)
	}
}
