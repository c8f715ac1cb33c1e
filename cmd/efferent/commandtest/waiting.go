package commandtest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/waiting"
)

// Overdue has a webhook wait that should have been sent again an hour ago.
func Overdue(t *testing.T, room *sqlite.Waiting, id, url string) waiting.Item {
	t.Helper()
	due := time.Now().Add(-time.Hour)
	i := waiting.Item{
		Queue: settings.WebhooksQueue, MessageID: uuid.NewString(), Attempt: 2, Due: due, State: waiting.Waiting, Body: scenario.Text(id, url),
		WebhookID: id, Reason: waiting.Delay,
	}
	i.Carried.ID, i.Carried.Attempts, i.Carried.First = id, 2, due.Add(-time.Hour)
	if _, err := room.Enter(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return i
}
