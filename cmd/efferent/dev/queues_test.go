package dev

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// TestQueuesOfBefore: a data file whose queues have another count follows the
// one that is set, and keeps what else somebody chose for its queues.
func TestQueuesOfBefore(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "e.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	engine, err := sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{Region: reach.DevRegion, Account: Account})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := CreateQueues(t.Context(), engine, 20); err != nil {
		t.Fatal(err)
	}
	url, err := engine.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(settings.WebhooksQueue)})
	if err == nil {
		_, err = engine.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url.QueueUrl,
			Attributes: map[string]string{"VisibilityTimeout": "77"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, receives := range []int{6, 6, 9} {
		if err := CreateQueues(t.Context(), engine, receives); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{settings.WebhooksQueue: receives, settings.NotificationsQueue: receives,
			settings.AuditQueue: settings.AuditMaxReceives} {
			if got := commandtest.Attributes(t, engine, name)["RedrivePolicy"]; !strings.Contains(got, fmt.Sprintf(`"maxReceiveCount":%d}`, want)) {
				t.Errorf("with %d receives %s has the policy %s", receives, name, got)
			}
		}
	}
	if got := commandtest.Attributes(t, engine, settings.WebhooksQueue)["VisibilityTimeout"]; got != "77" {
		t.Errorf("its visibility timeout is %s, and was 77", got)
	}
	if got := commandtest.Attributes(t, engine, deadletter.WebhookFailures)["RedrivePolicy"]; got != "" {
		t.Errorf("the dead-letter queue has the policy %s", got)
	}
}
