package sqsserver_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	for range 51 {
		b.send("q", "x")
	}
	var got []types.Message
	for range 5 {
		got = append(got, b.receive("q")...)
	}
	_, err := b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q")})
	b.wantCode(err, "OverLimit")
	polled := b.poll(b, "q", 20) // a long poll waits for room
	b.blocked(2)
	b.delete("q", got[0])
	if bodies := bodiesOf(<-polled); len(bodies) != 1 {
		t.Fatalf("received %q", bodies)
	}
	_, err = b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q")})
	b.wantCode(err, "OverLimit") // though there is nothing more
}

// "If this limit is reached, Amazon SQS does not return an error" ("Amazon SQS
// FIFO queue quotas").
func TestInFlightLimitOfAFIFOQueue(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	for i := range 51 {
		b.sendFIFO("q.fifo", strconv.Itoa(i), "", strconv.Itoa(i))
	}
	var got []types.Message
	for range 5 {
		got = append(got, b.receive("q.fifo")...)
	}
	b.want("q.fifo")
	b.delete("q.fifo", got[0])
	b.want("q.fifo", "50")
}
