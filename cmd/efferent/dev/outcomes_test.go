package dev

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// heard is an outcome as its consumer has it.
type heard struct {
	ID, Type, Subject, Tenant string
	Data                      struct {
		outcome.Delivery
		Circuit string
	}
}

// consume takes outcomes off their queue until enough says so: each once, by its id.
func consume(s *commandtest.Running, t *testing.T, enough func([]heard) bool) (all []heard) {
	t.Helper()
	seen := map[string]bool{}
	queue := s.QueueURL(t, settings.OutcomesQueue)
	for end := time.Now().Add(commandtest.Soon); !enough(all); {
		if time.Now().After(end) {
			t.Fatalf("these were all: %+v", all)
		}
		out, err := s.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			continue // a connection of before
		}
		for _, m := range out.Messages {
			var h heard
			if err := json.Unmarshal([]byte(*m.Body), &h); err != nil {
				t.Fatalf("%v: %s", err, *m.Body)
			}
			if strings.Contains(*m.Body, "hidden") {
				t.Errorf("this is nobody's business: %s", *m.Body)
			}
			if !seen[h.ID] {
				all = append(all, h)
			}
			seen[h.ID] = true
			if _, err := s.SQS.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// deliveries are how many of each kind there are, by their subjects.
func deliveries(all []heard) map[string]string {
	ends := map[string]string{}
	for _, h := range all {
		if strings.HasPrefix(h.Type, "delivery.") {
			ends[h.Subject] += h.Type + " " + string(h.Data.Verdict)
		}
	}
	return ends
}

// all kinds, and a policy that is soon over.
var everyOutcome = map[string]string{settings.OutcomeKinds: "*", settings.RetryPolicies: "quick=1s"}

// fate has the n-th message end in one of three ways, each at a URL of its own.
func fate(n int, url string) (text, want string) {
	status := []string{"200", "400", "500"}[n%3]
	return scenario.Text(fmt.Sprintf("evt_%d", n), fmt.Sprintf("%s/%d/%s?token=hidden", url, n, status), `"retry":"quick"`, `"tenant":"acme"`),
		[]string{"delivery.delivered delivered", "delivery.failed permanent", "delivery.failed exhausted"}[n%3]
}

func byPath(w http.ResponseWriter, r *http.Request, _ int) {
	switch {
	case strings.HasSuffix(r.URL.Path, "400"):
		w.WriteHeader(http.StatusBadRequest)
	case strings.HasSuffix(r.URL.Path, "500"):
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// TestOutcomesAddUp: each message that was accepted ends, and is told of once. So is
// one that nobody can send.
func TestOutcomesAddUp(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", everyOutcome)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	e := scenario.NewEndpoint(t, byPath)
	want := map[string]string{"evt_odd": "delivery.failed permanent"}
	s.Send(t, `{"id":"evt_odd","no":"such"}`)
	for n := range 30 {
		text, end := fate(n, e.URL)
		s.Send(t, text)
		want[fmt.Sprintf("evt_%d", n)] = end
	}
	got := deliveries(consume(s, t, func(all []heard) bool { return len(deliveries(all)) >= len(want) }))
	for id, end := range want {
		if id == "evt_odd" {
			continue // its id can't be read: it is known by its SQS id
		}
		if got[id] != end {
			t.Errorf("%s: told %q, want %q", id, got[id], end)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d were accepted, and %d ended", len(want), len(got))
	}
}

// TestOutcomesSurviveKills: a process that is killed time and again loses none.
func TestOutcomesSurviveKills(t *testing.T) {
	t.Parallel()
	const accepted, kills = 60, 3
	e := scenario.NewEndpoint(t, byPath)
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	var env []string
	for name, value := range everyOutcome {
		env = append(env, name+"="+value)
	}
	p := commandtest.StartProcess(t, env, args...)
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	want := map[string]string{}
	for n := range accepted {
		text, end := fate(n, e.URL)
		want[fmt.Sprintf("evt_%d", n)] = end
		p.Send(t, text)
	}
	for range kills {
		for range accepted / (kills + 1) {
			<-e.Seen
		}
		p.Kill()
		p = commandtest.StartProcess(t, env, args...)
	}
	got := deliveries(consume(p.Running, t, func(all []heard) bool { return len(deliveries(all)) >= accepted }))
	for id, end := range want {
		if got[id] != end {
			t.Errorf("%s: told %q, want %q", id, got[id], end)
		}
	}
}

// TestOneAlertPerTransition: an endpoint that fails, and is well again, makes two
// alerts however many messages it has; and each tenant has its own.
func TestOneAlertPerTransition(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", map[string]string{settings.CircuitLimits: "failures=3;first=1s;longest=1s",
		settings.RetryPolicies: "quick=1s,1s,1s"})
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth <= 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	for n := range 20 {
		for _, tenant := range []string{"acme", "globex"} {
			s.Send(t, scenario.Text(fmt.Sprintf("%s_%d", tenant, n), e.URL+"/in?token=hidden", `"retry":"quick"`, `"tenant":"`+tenant+`"`))
		}
	}
	balance := map[string]int{}
	count := func(all []heard) bool {
		clear(balance)
		recovered := 0
		for _, h := range all {
			balance[h.Tenant+" "+h.Type]++
			if h.Type == string(outcome.Recovered) {
				recovered++
			}
			if h.Subject != e.URL+"/in" || h.Data.Tenant != h.Tenant {
				t.Errorf("it is about %+v", h)
			}
		}
		return recovered >= 2 && balance["acme endpoint.recovered"] > 0 && balance["globex endpoint.recovered"] > 0
	}
	consume(s, t, count)
	for _, tenant := range []string{"acme", "globex"} {
		failing, recovered := balance[tenant+" endpoint.failing"], balance[tenant+" endpoint.recovered"]
		if failing-recovered > 1 || failing < recovered || failing > 20 {
			t.Errorf("%s: failing %d times, recovered %d times", tenant, failing, recovered)
		}
	}
}

// TestNobodyToTell: who wants no outcomes has none, and a place that dev can't tell is
// refused.
func TestNobodyToTell(t *testing.T) {
	t.Parallel()
	url := func(name string) (string, error) { return "u/" + name, nil }
	for at, want := range map[string]string{"none": "", "": "u/outcomes", "https://sqs.eu-north-1.amazonaws.com/1/q": "!"} {
		tell, err := localOutcomes(func(name string) string { return map[string]string{settings.Outcomes: at}[name] }, nil, url)
		switch {
		case want == "!":
			if err == nil || !strings.Contains(err.Error(), settings.Outcomes) {
				t.Errorf("%s: %v", at, err)
			}
		case err != nil || (tell == nil) != (want == ""):
			t.Errorf("%q: %+v, %v", at, tell, err)
		}
	}
}

// registerByAPI makes an endpoint, and gives its id.
func registerByAPI(s *commandtest.Running, t *testing.T, tenant, url, kind string) string {
	t.Helper()
	out, _ := s.Local(t, "endpoints", "create", url, "--tenant", tenant, "--type", kind, "--json")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return made.ID
}

// TestOutcomesAsWebhooks: an operator's endpoint hears how those of customers fare; what
// becomes of that makes no outcome again, be it refused.
func TestOutcomesAsWebhooks(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", map[string]string{settings.OutcomesTenant: "operator", settings.RetryPolicies: "quick=1s",
		settings.OutcomeKinds: "delivery.*"})
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	operator := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusBadRequest) })
	customer := scenario.NewEndpoint(t, byPath)
	registerByAPI(s, t, "operator", operator.URL, "delivery.*")
	for _, n := range []int{0, 1} {
		text, _ := fate(n, customer.URL)
		s.Send(t, text)
	}
	types := map[string]bool{}
	for range 2 {
		id := <-operator.Seen
		a := operator.Arrivals(id)[0]
		var h heard
		if err := json.Unmarshal([]byte(a.Body), &h); err != nil || h.ID != id || h.Tenant != "acme" {
			t.Errorf("%v: %s", err, a.Body)
		}
		types[h.Type] = true
		if records := s.AttemptsUntil(t, id, attempt.Verdict.Final); records[0].Verdict != attempt.Permanent {
			t.Errorf("%+v", records)
		}
	}
	if !types["delivery.delivered"] || !types["delivery.failed"] {
		t.Errorf("heard of %v", types)
	}
	// Whatever comes after these two would have come of them.
	text, _ := fate(3, customer.URL)
	s.Send(t, text)
	if last := operator.Arrivals(<-operator.Seen)[0]; !strings.Contains(last.Body, `"subject":"evt_3"`) {
		t.Errorf("an outcome has an outcome: %s", last.Body)
	}
}

// TestVerifyAndTest by the commands: a handshake gives the endpoint its rate and its
// webhooks the sender's name; and an example arrives.
func TestVerifyAndTest(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", map[string]string{settings.Origin: "events.efferent.test", settings.MustVerify: "true"})
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
			w.Header().Set("WebHook-Allowed-Rate", "120")
		}
	})
	id := registerByAPI(s, t, "acme", e.URL, "invoice.*")
	_, said, err := s.Command("", "endpoints", "verify", "--dev", id, "--tenant", "acme")
	if err == nil || !strings.Contains(said, "challenge") {
		t.Errorf("a plain 200 is taken for consent: %v, %s", err, said)
	}
	<-e.Seen
	out, _ := s.Local(t, "endpoints", "verify", id, "--tenant", "acme", "--method", "options")
	if !strings.Contains(out, "verified, and enabled") {
		t.Errorf("it said %s", out)
	}
	if out, _ := s.Local(t, "endpoints", "show", id, "--tenant", "acme", "--json"); !strings.Contains(out, `"rate_per_second":2`) {
		t.Errorf("it is %s", out)
	}
	out, _ = s.Local(t, "endpoints", "test", id, "--tenant", "acme", "--type", "invoice.paid", "--json")
	var sent struct {
		WebhookID string `json:"webhook_id"`
	}
	if err := json.Unmarshal([]byte(out), &sent); err != nil {
		t.Fatal(err)
	}
	if got := <-e.Seen; got != sent.WebhookID {
		t.Errorf("%s came", got)
	}
	a := e.Arrivals(sent.WebhookID)[0]
	if a.Header.Get("WebHook-Request-Origin") != "events.efferent.test" || !strings.Contains(a.Body, `"example":true`) {
		t.Errorf("%v %s", a.Header, a.Body)
	}
}
