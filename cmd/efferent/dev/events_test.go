package dev

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// register keeps an endpoint in an Efferent's data.
func register(t *testing.T, l *Local, tenant, url string, types ...string) endpoint.Endpoint {
	t.Helper()
	e := endpoint.Endpoint{ID: endpoint.NewID(), Tenant: tenant, URL: url, EventTypes: types, Secret: scenario.SecretName,
		State: endpoint.Enabled, Created: time.Now().UTC(), Version: 1}
	if _, err := e.Check(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.NewEndpoints(l.db).CreateEndpoint(t.Context(), e, 100); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestEventsGoToTheirEndpoints publishes in all three shapes.
func TestEventsGoToTheirEndpoints(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	s := runLocal(t, l)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	receivers := map[string]*scenario.Endpoint{}
	for name, types := range map[string][]string{"invoices": {"invoice.*"}, "all": {"*"}, "orders": {"Order Placed", "user"}} {
		receivers[name] = scenario.NewEndpoint(t, scenario.OK)
		register(t, l, "acme", receivers[name].URL+"/"+name, types...)
	}
	receivers["other"] = scenario.NewEndpoint(t, scenario.OK)
	register(t, l, "globex", receivers["other"].URL, "*")
	for id, text := range map[string]string{
		"evt_1": `{"id":"evt_1","tenant":"acme","event_type":"invoice.paid","body":{"a":1}}`,
		"evt_2": `{"specversion":"1.0","id":"evt_2","source":"/shop","type":"user","subject":"acme","data":{"b":2}}`,
		"evt_3": `{"version":"0","id":"evt_3","detail-type":"Order Placed","source":"shop","detail":{"tenant":"acme"}}`,
	} {
		s.SendTo(t, settings.EventsQueue, text)
		s.AttemptsUntil(t, id, func(v attempt.Verdict) bool { return v == attempt.Delivered })
	}
	for id, want := range map[string][]string{"evt_1": {"all", "invoices"}, "evt_2": {"all", "orders"}, "evt_3": {"all", "orders"}} {
		if got := arrivedAt(t, receivers, id, len(want)); !slices.Equal(got, want) {
			t.Errorf("%s came to %v, want %v", id, got, want)
		}
	}
	if a := receivers["invoices"].Arrivals("evt_1")[0]; a.Body != `{"a":1}` || a.Accepts(t, scenario.SecretValue) != nil {
		t.Errorf("got %s, %v", a.Body, a.Accepts(t, scenario.SecretValue))
	}
}

// arrivedAt waits until a webhook-id has come to n receivers, and says which.
func arrivedAt(t *testing.T, receivers map[string]*scenario.Endpoint, id string, n int) (names []string) {
	t.Helper()
	for end := time.Now().Add(commandtest.Soon); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		names = nil
		for name, r := range receivers {
			for range r.Arrivals(id) {
				names = append(names, name)
			}
		}
		if len(names) >= n {
			break
		}
	}
	slices.Sort(names)
	return names
}

// TestABadEventIsListedAndReplayed as webhooks are.
func TestABadEventIsListedAndReplayed(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	s.SendTo(t, settings.EventsQueue, `{"id":"evt_bad","tenant":"acme","event_type":"a","body":1,"extra":true}`)
	item := s.Parked(t, deadletter.EventFailures, 1)[0]
	if item.WebhookID != "evt_bad" || item.Tenant != "acme" || item.EventType != "a" || item.Attempts != 1 ||
		!strings.Contains(item.Reason, `field "extra": unknown`) {
		t.Errorf("listed: %+v", item)
	}
	if out, _ := s.DLQ(t, "replay", "--queue", deadletter.EventFailures, item.ItemID); !strings.Contains(out, "webhook-id evt_bad") {
		t.Errorf("replayed: %s", out)
	}
	if again := s.Parked(t, deadletter.EventFailures, 1)[0]; again.Attempts != 2 || again.ItemID == item.ItemID {
		t.Errorf("listed again: %+v", again)
	}
}

// TestPublishCommand publishes by the queue and by the API.
func TestPublishCommand(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	s := runLocal(t, l)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	to := scenario.NewEndpoint(t, scenario.OK)
	e := register(t, l, "acme", to.URL, "invoice.*")
	publish := func(args ...string) (out, stderr string) {
		stdout, stderr, _ := s.Command("", append([]string{"publish", "--tenant", "acme", "--event", "invoice.paid"}, args...)...)
		return stdout, stderr
	}
	if out, _ := publish("--dev", "--body", "1", "--id", "evt_1"); !strings.Contains(out, `"id":"evt_1"`) {
		t.Errorf("by the queue: %s", out)
	}
	if out, _ := publish("--api", s.HTTPURL, "--dev", "--body", "2", "--id", "evt_2", "--dry-run"); !strings.Contains(out, e.ID) {
		t.Errorf("a dry run: %s", out)
	}
	for body, want := range map[string]string{"3": "", "[": "not JSON"} {
		if out, stderr := publish("--api", s.HTTPURL, "--dev", "--body", body, "--id", "evt_3", "--key", "k"); (want == "") !=
			strings.Contains(out, e.ID) || !strings.Contains(stderr, want) {
			t.Errorf("%s: %s%s", body, out, stderr)
		}
	}
	receivers := map[string]*scenario.Endpoint{"it": to}
	for id, n := range map[string]int{"evt_1": 1, "evt_3": 1} {
		if got := arrivedAt(t, receivers, id, n); len(got) != n {
			t.Errorf("%s came %d times", id, len(got))
		}
	}
	if len(to.Arrivals("evt_2")) > 0 {
		t.Error("a dry run was sent")
	}
}

// TestABacklogHoldsUpNobody: what another tenant publishes after 3,000 events of one
// overtakes most of them, though one of that tenant's own two endpoints is dead, which
// does not hold up the other either.
func TestABacklogHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const backlog = 3000
	file := filepath.Join(t.TempDir(), "efferent.db")
	t.Run("before", func(t *testing.T) { startData(t, file).PutSecret(t, scenario.SecretName, scenario.SecretValue) })
	l := openData(t, file, nil)
	busy, other := scenario.NewEndpoint(t, scenario.OK), scenario.NewEndpoint(t, scenario.OK)
	dead := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusServiceUnavailable) })
	register(t, l, "busy", busy.URL, "*")
	register(t, l, "busy", dead.URL, "*")
	register(t, l, "other", other.URL, "*")
	for n := 0; n < backlog; n += 10 {
		l.publish(t, "busy", n, 10)
	}
	l.publish(t, "other", backlog, 1)
	runLocal(t, l)
	<-other.Seen
	n := len(busy.Seen)
	t.Logf("it came after %d of %d", n, backlog)
	if n > backlog/2 {
		t.Errorf("it came after %d of %d", n, backlog)
	}
	// Not all: what a busy machine can't prepare within 3 s waits for up to an hour.
	for range backlog / 2 {
		<-busy.Seen
	}
}

// publish puts n events of a tenant on their queue.
func (l *Local) publish(t *testing.T, tenant string, from, n int) {
	t.Helper()
	url := QueueURL(l.AWSURL, settings.EventsQueue)
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for i := range n {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageGroupId: &tenant,
			MessageBody: aws.String(fmt.Sprintf(`{"id":"e_%d","tenant":%q,"event_type":"a","body":1}`, from+i, tenant))})
	}
	if _, err := l.engine.SendMessageBatch(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}
