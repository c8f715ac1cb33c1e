package sqsserver

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TestADeepQueueIsKeptSmall: of its messages no more than the limit are in memory.
func TestADeepQueueIsKeptSmall(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), forgetful{}, Options{NearLimit: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	made, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		in := &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String(strconv.Itoa(i))}
		if _, err := e.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	q, err := e.at(t.Context(), made.QueueUrl)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.messages) != 5 || q.counts[ready] != 100 || q.shelves.count != 95 {
		t.Errorf("%d messages are in memory, %d on the shelf, of %d", len(q.messages), q.shelves.count, q.counts[ready])
	}
}
