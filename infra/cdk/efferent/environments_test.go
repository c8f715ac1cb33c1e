package efferent_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
)

func TestFunctionsStartWithTheirEnvironments(t *testing.T) {
	t.Parallel()
	functions := synth(t, efferent.Props{}).of("AWS::Lambda::Function")
	env := func(function string) func(string) string {
		all := functions[function+"Function"]["Environment"].(object)["Variables"].(object)
		return func(name string) string {
			if all[name] == nil {
				return ""
			}
			return text(all[name])
		}
	}
	deployed, err := settings.ReadDeliverPlaces(env("Deliver"))
	if want := (settings.DeliverPlaces{WebhooksQueueURL: "WebhookQueue", AuditQueueURL: "AuditQueue",
		AttemptsTable: "Attempts", WaitingTable: "Waiting", CircuitsTable: "Circuits", PaceTable: "Pace",
		EndpointsTable: "Endpoints"}); err != nil ||
		deployed != want {
		t.Errorf("deliver: %+v, %v", deployed, err)
	}
	if d, err := settings.ReadWebhooks(env("Deliver")); err != nil || d.MaxReceives != settings.DefaultMaxReceives {
		t.Errorf("deliver: %+v, %v", d, err)
	}
	notifying, err := settings.ReadNotifyPlaces(env("Notify"))
	if want := (settings.NotifyPlaces{NotificationsQueueURL: "NotificationQueue", AuditQueueURL: "AuditQueue",
		AttemptsTable: "Attempts", WaitingTable: "Waiting", PaceTable: "Pace", DirectoryTable: "Directory"}); err != nil || notifying != want {
		t.Errorf("notify: %+v, %v", notifying, err)
	}
	if n, err := settings.ReadNotifications(env("Notify")); err != nil || n.MaxReceives != settings.DefaultMaxReceives {
		t.Errorf("notify: %+v, %v", n, err)
	}
	appending, err := settings.ReadAudit(env("Audit"))
	if want := (settings.Audit{AuditQueueURL: "AuditQueue", LedgerTable: "Ledger", LedgerBucket: "LedgerTiles"}); err != nil ||
		appending != want {
		t.Errorf("audit: %+v, %v", appending, err)
	}
	signing, err := settings.ReadCheckpoint(env("Checkpoint"))
	if d := cmp.Diff([]string{"Ledger", "LedgerTiles", "Checkpoints", "LedgerKey.Arn", "", "efferent/AWS::Region/AWS::AccountId/Efferent"},
		[]string{signing.LedgerTable, signing.LedgerBucket, signing.CheckpointsBucket, signing.KMSKey, signing.KeySecret, signing.Origin},
	); err != nil || d != "" || signing.AuditLanes != ledger.DefaultLanes {
		t.Errorf("checkpoint: %+v, %v: %s", signing, err, d)
	}
	releasing, err := settings.ReadReleasePlaces(env("Release"))
	if want := (settings.ReleasePlaces{WebhooksQueueURL: "WebhookQueue", EventsQueueURL: "EventQueue",
		NotificationsQueueURL: "NotificationQueue",
		WaitingTable:          "Waiting", CircuitsTable: "Circuits", EndpointsTable: "Endpoints", MaxHeld: 6 * time.Hour}); err != nil ||
		releasing != want {
		t.Errorf("release: %+v, %v", releasing, err)
	}
	for _, function := range []string{"Deliver", "Release", "Replay"} {
		if got := env(function)(settings.CircuitsTable); got != "Circuits" {
			t.Errorf("%s finds the circuits in %q", function, got)
		}
	}
	for _, function := range []string{"Deliver", "Notify", "Replay", "Checkpoint"} {
		if got := env(function)(settings.LedgerKeysSecret); got != "efferent/ledger/keys" {
			t.Errorf("%s finds the keys of hashes in %q", function, got)
		}
	}
	replay, err := settings.ReadReplayPlaces(env("Replay"))
	if d := cmp.Diff([]string{"WebhookQueue", "WebhookFailures", "NotificationQueue", "NotificationFailures", "AuditQueue", "Attempts",
		"Waiting"},
		[]string{replay.WebhooksQueueURL, replay.WebhookFailuresQueueURL, replay.NotificationsQueueURL, replay.NotificationFailuresQueueURL,
			replay.AuditQueueURL, replay.AttemptsTable, replay.WaitingTable}); err != nil || d != "" || replay.AuditLanes != ledger.DefaultLanes {
		t.Errorf("replay: %+v, %v: %s", replay, err, d)
	}
}

// TestTheAPIFindsTheLedger: and so do those who append and sign.
func TestTheAPIFindsTheLedger(t *testing.T) {
	t.Parallel()
	functions := synth(t, efferent.Props{}).of("AWS::Lambda::Function")
	for name, want := range map[string]string{
		settings.LedgerTable: "Ledger", settings.LedgerBucket: "LedgerTiles", settings.CheckpointsBucket: "Checkpoints",
	} {
		for _, function := range []string{"Replay", "Checkpoint"} {
			all := functions[function+"Function"]["Environment"].(object)["Variables"].(object)
			if got := text(all[name]); got != want {
				t.Errorf("%s: %s is %q, want %q", function, name, got, want)
			}
		}
	}
}
