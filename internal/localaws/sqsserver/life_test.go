package sqsserver

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// forgetful is a Store that keeps nothing.
type forgetful struct{}

func (forgetful) Load(context.Context, Loader) error    { return nil }
func (forgetful) Apply(context.Context, *Changes) error { return nil }
func (forgetful) Messages(context.Context, []int64) (map[int64]StoredMessage, error) {
	return nil, nil
}

func TestADeletedQueueGivesItsMemoryBack(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), forgetful{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	made, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	if e.budget.used.Load() == 0 {
		t.Fatal("nothing is in memory")
	}
	if _, err := e.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}); err != nil {
		t.Fatal(err)
	}
	if n := e.budget.used.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}
