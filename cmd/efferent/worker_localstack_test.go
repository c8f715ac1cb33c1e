//go:build localstack

package main

import (
	"context"
	"testing"

	"github.com/efferent/efferent/e2e/localstack"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
)

// TestWorkerOnLocalStack runs every scenario on LocalStack's queues, SQS's own
// redrive among them.
func TestWorkerOnLocalStack(t *testing.T) {
	s := &running{t: t, awsURL: localstack.Start(t)}
	s.connect()
	if err := createQueues(context.Background(), s.SQS, settings.DefaultMaxReceives); err != nil {
		t.Fatal(err)
	}
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	startWorker(t, s)
	t.Run("webhooks", func(t *testing.T) { scenario.Webhooks(t, &s.Stack) })
	t.Run("notifications", func(t *testing.T) { scenario.Notifications(t, &s.Stack) })
	t.Run("redrive", func(t *testing.T) { scenario.Redrive(t, &s.Stack) })
	t.Run("dead letters", func(t *testing.T) { scenario.DeadLetters(t, &s.Stack, true) })
}
