package dlq

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

// TestDLQCommands works on real dead letters with every one of the commands.
func TestDLQCommands(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	var mended atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	const queue = "webhook-failures"
	for i := range 9 {
		s.Send(t, scenario.Text(fmt.Sprintf("evt_%d", i), e.URL, fmt.Sprintf(`"tenant":"t%d"`, i%3)))
	}
	all := s.Parked(t, queue, 9)
	table, note := s.DLQ(t, "list", "--limit", "2")
	if strings.Count(table, "\n") != 3 || !strings.Contains(table, "scenario.run") || note != "2 of about 9; more with --limit\n" {
		t.Errorf("listed: %s%s", table, note)
	}
	if table, _ = s.DLQ(t, "list", "--tenant", "t1", "--since", "1h", "--source", "queue"); strings.Count(table, " t1 ") != 3 ||
		strings.Count(table, "\n") != 4 {
		t.Errorf("of one tenant, from the queue: %s", table)
	}
	if shown, _ := s.DLQ(t, "show", all[0].ItemID); !strings.Contains(shown, "permanent") ||
		!strings.Contains(shown, `"secret": "`+scenario.SecretName) {
		t.Errorf("shown: %s", shown)
	}
	if out, _ := s.DLQ(t, "rm", all[0].ItemID); out != all[0].ItemID+" discarded\n" {
		t.Errorf("discarded: %s", out)
	}
	if _, stderr, err := s.Command("", "dlq", "replay", "--dev", all[0].ItemID); err == nil || !strings.Contains(stderr, "was discarded at") {
		t.Errorf("replayed what was discarded: %v, %s", err, stderr)
	}

	mended.Store(true)
	delivered := func(v attempt.Verdict) bool { return v == attempt.Delivered }
	if out, _ := s.DLQ(t, "replay", all[1].ItemID); !strings.Contains(out, "webhook-id "+all[1].WebhookID) {
		t.Errorf("replayed: %s", out)
	}
	s.AttemptsUntil(t, all[1].WebhookID, delivered)
	left := s.Parked(t, queue, 7)
	tenant, ofTenant := left[0].Tenant, 0
	for _, i := range left {
		if i.Tenant == tenant {
			ofTenant++
		}
	}
	if out, _ := s.DLQ(t, "replay", "--tenant", tenant, "--yes"); !strings.HasPrefix(out, fmt.Sprintf("%d replayed of ", ofTenant)) {
		t.Errorf("replayed of %s: %s", tenant, out)
	}
	left = s.Parked(t, queue, 7-ofTenant)
	moved := fmt.Sprintf("%d replayed from webhook-failures by move task ", len(left))
	if out, _ := s.DLQ(t, "replay", "--all", "--yes"); !strings.HasPrefix(out, moved) {
		t.Errorf("replayed all: %s", out)
	}
	for _, i := range left {
		s.AttemptsUntil(t, i.WebhookID, delivered)
	}
	if out, _ := s.DLQ(t, "tasks"); !strings.Contains(out, "COMPLETED") {
		t.Errorf("tasks: %s", out)
	}
	s.Parked(t, queue, 0)
	if _, note := s.DLQ(t, "list"); note != "webhook-failures is empty.\n" {
		t.Errorf("at the end: %s", note)
	}
}

// TestDLQOfOneID: an event that went to endpoints of two tenants, to one of them
// twice, with every command that tells its letters apart.
func TestDLQOfOneID(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNotFound) })
	for _, to := range []string{"acme/a", "acme/b", "acme/b", "beta/a", "beta/c"} {
		tenant, path, _ := strings.Cut(to, "/")
		s.Send(t, scenario.Text("evt", e.URL+"/"+path, `"tenant":"`+tenant+`"`))
	}
	all := s.Parked(t, "webhook-failures", 5)
	if table, note := s.DLQ(t, "list"); strings.Count(table, " acme ") != 3 || strings.Count(table, " beta ") != 2 ||
		note != "5 of about 5\n" {
		t.Errorf("listed: %s%s", table, note)
	}
	show := func() string {
		t.Helper()
		out, stderr, err := s.Command("", "deliveries", "show", "--dev", "evt")
		if err != nil {
			t.Fatalf("%v, %s", err, stderr)
		}
		return out
	}
	attempts := show()
	commandtest.MustHold(t, "deliveries show", attempts, []string{"Origin  ", "Tenant  ", "URL     ", e.URL + "/a", e.URL + "/b",
		e.URL + "/c"})
	for _, i := range all {
		shown, _ := s.DLQ(t, "show", i.ItemID)
		if strings.Count(attempts, i.ItemID) != 2 || strings.Count(shown, "404 Not Found") != 2 || // the reason, and one attempt
			!strings.Contains(shown, "Attempts  1\n") || !strings.Contains(shown, "URL       "+i.URL+"\n") {
			t.Errorf("%+v is shown as %s among %s", i, shown, attempts)
		}
	}
	if out, _ := s.DLQ(t, "rm", all[0].ItemID); out != all[0].ItemID+" discarded\n" {
		t.Errorf("discarded: %s", out)
	}
	s.Parked(t, "webhook-failures", 4)
	beta := 0
	for _, i := range all[1:] {
		if i.Tenant == "beta" {
			beta++
		}
	}
	if out, _ := s.DLQ(t, "replay", "--tenant", "beta", "--yes"); !strings.HasPrefix(out, fmt.Sprintf("%d replayed of ", beta)) {
		t.Errorf("replayed: %s", out)
	}
	for _, i := range s.Parked(t, "webhook-failures", 4) {
		if want := map[string]int{"acme": 1, "beta": 2}[i.Tenant]; i.Attempts != want {
			t.Errorf("after the replay of one tenant's there is %+v, want %d attempts", i, want)
		}
	}
	// One after the other, an origin's attempts stand together.
	var origins []string
	lines := 0
	for group := range strings.SplitSeq(strings.TrimSpace(show()), "\n\n") {
		head, table, _ := strings.Cut(group, "\nAT ")
		origin := strings.Fields(head)[1]
		if slices.Contains(origins, origin) || !strings.Contains(head, "\nURL     "+e.URL) {
			t.Errorf("a group without an origin and URL of its own: %s", group)
		}
		origins, lines = append(origins, origin), lines+strings.Count(table, "\n")
	}
	if lines != 5+beta || len(origins) != 5 {
		t.Errorf("%d attempts by %v", lines, origins)
	}
}

// TestDLQOfNotifications looks at a notification that no channel took, whose
// attempts deliveries show shows too.
func TestDLQOfNotifications(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	if _, stderr, err := s.Command("", "notify", "--dev", "--channel", "email", "--recipient", "ann@acme.test", "--body", "hi", "--id",
		"n_1"); err != nil {
		t.Fatalf("%v, %s", err, stderr)
	}
	item := s.Parked(t, "notification-failures", 1)[0]
	shown, _ := s.DLQ(t, "show", item.ItemID, "--queue", "notification-failures")
	attempts, stderr, err := s.Command("", "deliveries", "show", "--dev", "n_1")
	if err != nil {
		t.Fatalf("%v, %s", err, stderr)
	}
	commandtest.MustHold(t, "dlq show", shown, []string{"Channel   email\n", attempts})
	commandtest.MustHold(t, "deliveries show", attempts, []string{"CHANNEL", "CLASS", "FAILED CHANNELS", "configuration", "email,slack"})
	if strings.Contains(attempts, "ann@acme.test") {
		t.Errorf("the attempts tell the recipient: %s", attempts)
	}
}
