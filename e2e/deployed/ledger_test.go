//go:build e2e

package deployed

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/ledger"
)

// ledgerHolds shows that whatever the scenarios did is in the ledger, that
// what was replayed is too, and that all of it verifies under the public key.
func ledgerHolds(t *testing.T, s *scenario.Stack, b *book) {
	webhook, item := replayed(t, s)
	fill(t, s)
	s.AwaitEmpty(t, "audit.fifo")
	found := map[string]bool{}
	b.entries(t, func(l ledger.Line) {
		found[l.Action+" "+l.ID] = true
		if strings.Contains(l.Resource, "hmac:none") {
			t.Errorf("%s was hashed without a key: %+v", l.ID, l)
		}
	})

	if !found[ledger.DLQReplay+" "+item] {
		t.Errorf("the replay of %s is not in the ledger", item)
	}
	acts := map[string]int{}
	ids := b.webhookIDs(t)
	if !ids[webhook] {
		t.Errorf("%s is not among the %d ids that have records", webhook, len(ids))
	}
	for id := range ids {
		records, err := s.History(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			of := fmt.Sprintf(" %s#%d", r.MessageID, r.Attempt)
			if drop := fmt.Sprintf("%s %s-%d", ledger.WaitingDrop, r.MessageID, r.Attempt-1); r.Dropped {
				if !found[drop] {
					t.Errorf("there is no %s in the ledger: %+v", drop, r)
				}
				continue
			}
			for _, action := range actionsOf(r) {
				acts[action]++
				if !found[action+of] {
					t.Errorf("%s of %s is not in the ledger: %+v", action, id, r)
				}
			}
			if malformed := r.Channel == "" && r.URL == ""; malformed && !found[ledger.WebhookFailed+of] && !found[ledger.NotificationFailed+of] {
				t.Errorf("the failure of %s is not in the ledger: %+v", id, r)
			}
		}
	}
	for _, action := range []string{ledger.WebhookAttempt, ledger.WebhookDelivered, ledger.WebhookFailed,
		ledger.NotificationAttempt, ledger.NotificationSent, ledger.NotificationFailed} {
		if acts[action] == 0 {
			t.Errorf("there is no %s among the acts: %v", action, acts)
		}
	}
	t.Logf("found %v", acts)
	b.sign(t)
	b.verify(t)
}

// actionsOf are the entries that there must be of an attempt. What can't be
// read is neither a webhook nor a notification; what is held is still to be made;
// and what an open circuit kept back for good was never sent.
func actionsOf(r attempt.Record) (actions []string) {
	if r.Channel == "" && r.URL == "" || r.Verdict == attempt.Held {
		return nil
	}
	announced, took, failed := ledger.WebhookAttempt, ledger.WebhookDelivered, ledger.WebhookFailed
	if r.Channel != "" {
		announced, took, failed = ledger.NotificationAttempt, ledger.NotificationSent, ledger.NotificationFailed
	}
	if r.Verdict == attempt.Delivered {
		return []string{announced, took}
	}
	if r.Status != 0 && !strings.HasPrefix(r.Reason, "never sent: ") {
		return []string{announced, failed}
	}
	return []string{failed}
}

// replayed sends a webhook that is refused for good, has it replayed once its
// endpoint is mended, and returns its webhook-id and the dead letter's.
func replayed(t *testing.T, s *scenario.Stack) (webhook, item string) {
	t.Helper()
	var mended atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	webhook = "evt-" + uuid.NewString()
	s.Send(t, scenario.Text(webhook, e.URL))
	item = s.Attempts(t, webhook)[0].MessageID
	s.Failures(t, "webhook-failures", "webhooks", webhook)
	mended.Store(true)
	if status := s.Insist(t, http.MethodPost, "/dlq/webhook-failures/replay/"+item); status != http.StatusAccepted {
		t.Fatalf("the replay was answered %d", status)
	}
	s.AttemptsUntil(t, webhook, func(v attempt.Verdict) bool { return v == attempt.Delivered })
	return webhook, item
}

// fill gives every lane more entries than a bundle has, so that tiles are
// published.
func fill(t *testing.T, s *scenario.Stack) {
	t.Helper()
	to := &awssqs.Audit{API: s.SQS, URL: *s.QueueURL(t, "audit.fifo"), Lanes: ledger.DefaultLanes}
	for key := range 4 * ledger.DefaultLanes { // keys are spread over the lanes by their hash
		entries := make([]ledger.Entry, ledger.TileWidth)
		for i := range entries {
			entries[i] = ledger.Entry{Action: "test.filled", Actor: "e2e", ID: fmt.Sprintf("%d-%d", key, i), Resource: "nothing",
				Timestamp: time.Now()}
		}
		if err := to.Append(t.Context(), fmt.Sprint(key), entries); err != nil {
			t.Fatal(err)
		}
	}
}

// webhookIDs are the ids that there are records of.
func (b *book) webhookIDs(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	table := b.outputs["AttemptsTable"]
	for pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(b.config), &dynamodb.ScanInput{TableName: &table}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			id, ok := item["webhook_id"].(*types.AttributeValueMemberS)
			if ok && item["record"] != nil { // and not a claim
				ids[id.Value] = true
			}
		}
	}
	return ids
}

// verify verifies every lane, up to its last entry.
func (b *book) verify(t *testing.T) {
	t.Helper()
	public, err := b.key.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := ledger.Verifier{Reader: b, Key: ledger.PublicKey{Origin: b.origin, Key: public}}
	for i := range ledger.DefaultLanes {
		lane := ledger.LaneName(i)
		signed, err := b.kept.All(t.Context(), lane)
		if err != nil {
			t.Fatal(err)
		}
		r := v.Lane(t.Context(), lane, signed)
		t.Logf("%s: %s, %d entries, %d of them anchored by %d checkpoints", lane, r.Verdict, r.Size, r.Anchored, len(signed))
		if r.Verdict != ledger.Sound || r.Size < ledger.TileWidth || r.Anchored != r.Size {
			t.Errorf("%+v", r)
		}
	}
}

// awaitEntry waits for an entry of that action and actor in the ledger.
func awaitEntry(t *testing.T, b *book, action, actor string) {
	t.Helper()
	deadline := time.After(5 * time.Minute)
	for tick := time.NewTicker(200 * time.Millisecond); ; {
		found := false
		b.entries(t, func(l ledger.Line) { found = found || l.Action == action && strings.Contains(l.Actor, actor) })
		if found {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the ledger holds no %s by %s", action, actor)
		}
	}
}
