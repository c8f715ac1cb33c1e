//go:build localstack

package main

import (
	"context"
	"testing"

	"github.com/efferent/efferent/e2e/localstack"
	"github.com/efferent/efferent/e2e/scenario"
)

// TestWorkerOnLocalStack runs the scenarios on LocalStack's queues. A move task
// is not among them: LocalStack 4.9.2 keeps the message id and the receive
// count over it, where SQS gives a new id and starts to count again, so the
// history says of such a message that it is done with.
func TestWorkerOnLocalStack(t *testing.T) {
	s := &running{t: t, awsURL: localstack.Start(t)}
	s.connect()
	if err := createQueues(context.Background(), s.SQS, 20); err != nil {
		t.Fatal(err)
	}
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	startWorker(t, s)
	scenario.Webhooks(t, &s.Stack)
}
