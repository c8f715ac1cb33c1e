package commandtest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// Attributes are those of a queue.
func Attributes(t *testing.T, engine *sqsserver.Engine, name string) map[string]string {
	t.Helper()
	url, err := engine.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	out, err := engine.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

// MemoryEngine is an SQS whose data file is in memory, both until the test ends.
func MemoryEngine(t *testing.T) (*sqlite.DB, *sqsserver.Engine) {
	t.Helper()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(); db.Close() })
	return db, engine
}
