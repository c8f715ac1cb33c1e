package endpoints

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
)

const theID = "ep_2Ck9mUPxQbqVZ9yTzTZmJ4"

func registered(state endpoint.State, why string) endpoint.Endpoint {
	return endpoint.Endpoint{ID: theID, Tenant: "acme", URL: "https://a.test/in\x1b[2J", EventTypes: []string{"invoice.*", "a"},
		State: state, Why: why,
		Secret: "efferent/webhooks/acme#" + theID, Filter: jsontext.Value(`{"a":[1]}`), RatePerSecond: 2.5, Created: commandtest.Noon,
		Since:   commandtest.Noon,
		Version: 3,
		Headers: map[string]string{"X-B": "2", "X-A": "1"}, Auth: map[string]string{"X-K": "efferent/webhooks/acme/k"}}
}

func TestEndpointsCommands(t *testing.T) {
	t.Parallel()
	const on = " /api/v1/tenants/acme/endpoints"
	shown := endpoints.Endpoint{Endpoint: registered(endpoint.Paused, "paused by acme")}
	made := shown
	made.ReceiverKey = "whsec_abc"
	key := endpoints.Secret{Secret: "n", ReceiverKey: "whsec_abc", PreviousReceiverKey: "whsec_old", PreviousUntil: commandtest.Noon}
	page := func(cursor string, all ...endpoint.Endpoint) commandtest.Answered {
		return commandtest.Ok(endpoints.Endpoints{Items: all, Cursor: cursor})
	}
	tried := attempt.Record{WebhookID: "evt_1", EventType: "a", Attempt: 2, At: commandtest.Noon, URL: "https://then.test", Status: 503,
		Verdict: attempt.Retryable, Reason: "503"}
	commandtest.RunCases(t, "endpoints", []commandtest.Case{
		{"create", "create https://a.test/in --tenant acme --type a --type b.* " +
			"--header X-A=1=2 --label a=b,c --auth X-K=n --rate 2.5 --key whsk " +
			"--filter {\"a\":[1]} --state paused", []commandtest.Answered{{http.StatusCreated, made}},
			[]string{"POST" + on + ` {"auth":{"X-K":"n"},"event_types":["a","b.*"],"filter":{"a":[1]},"headers":{"X-A":"1=2"},"key":"whsk",` +
				`"labels":{"a":"b,c"},"rate_per_second":2.5,"state":"paused","url":"https://a.test/in"}`},
			[]string{"Key       whsec_abc\n", "X-A: 1, X-B: 2"}, []string{"endpoints secret shows it again"}, 0},
		{"no filter", "create https://a.test --tenant acme --type a --filter {", nil, nil, nil, []string{"--filter is not JSON"}, 2},
		{"no type", "create https://a.test --tenant acme", nil, nil, nil, []string{"--type"}, 2},
		{"no tenant", "list", nil, nil, nil, []string{"--tenant"}, 2},
		{"a tenant that leads elsewhere", "list --tenant ..", nil, nil, nil, []string{"no tenant's name"}, 2},
		{"a tenant that is encoded", "list --tenant a/b", []commandtest.Answered{page("")},
			[]string{"GET /api/v1/tenants/a%2Fb/endpoints?cursor=&limit=50"},
			nil, []string{"0 endpoints\n"}, 0},
		{"list", "list --tenant acme --limit 2", []commandtest.Answered{page("x", shown.Endpoint), page("y", shown.Endpoint)},
			[]string{"GET" + on + "?cursor=&limit=2", "GET" + on + "?cursor=x&limit=1"},
			[]string{"ENDPOINT  ", "https://a.test/in [2J", "2.5/s", "paused by acme"}, []string{"2 endpoints; more with --limit\n"}, 0},
		{"list as JSON", "list --tenant acme --json --limit all --state paused", []commandtest.Answered{page("", shown.Endpoint)},
			[]string{"GET" + on + "?cursor=&limit=200&state=paused"}, []string{`{"items":[{"id":"ep_`}, nil, 0},
		{"show", "show --tenant acme " + theID, []commandtest.Answered{commandtest.Ok(shown)}, []string{"GET" + on + "/" + theID},
			[]string{"State     paused since", `Filter    {"a":[1]}`, "X-K: from efferent/webhooks/acme/k"}, nil, 0},
		{"an id that leads elsewhere", "show --tenant acme ..", nil, nil, nil, []string{"no endpoint's id"}, 2},
		{"patch", "patch --tenant acme " + theID + ` {"url":null}`, []commandtest.Answered{commandtest.Ok(shown)},
			[]string{"PATCH" + on + "/" + theID + ` {"url":null}`},
			[]string{"is changed, and has the version 3"}, nil, 0},
		{"no patch", "patch --tenant acme " + theID + " []", nil, nil, nil, []string{"not a JSON object"}, 2},
		{"pause", "pause --tenant acme " + theID + " --why because", []commandtest.Answered{commandtest.Ok(shown)},
			[]string{"POST" + on + "/" + theID + `/pause {"why":"because"}`},
			[]string{"is paused, and what is for it waits: paused by acme"}, nil, 0},
		{"resume", "resume --tenant acme " + theID,
			[]commandtest.Answered{commandtest.Ok(endpoints.Endpoint{Endpoint: registered(endpoint.Enabled, "")})},
			[]string{"POST" + on + "/" + theID + "/resume"}, []string{theID + " is enabled\n"}, nil, 0},
		{"rotate", "rotate --tenant acme " + theID + " --grace 90m", []commandtest.Answered{commandtest.Ok(key)},
			[]string{"POST" + on + "/" + theID + `/rotate {"grace":"1h30m0s"}`}, []string{"whsec_abc\n"},
			[]string{"signs beside it until 20"}, 0},
		{"secret", "secret --tenant acme --json " + theID, []commandtest.Answered{commandtest.Ok(key)},
			[]string{"GET" + on + "/" + theID + "/secret"},
			[]string{`"previous_receiver_key":"whsec_old"`}, nil, 0},
		{"rm", "rm --tenant acme -y " + theID, []commandtest.Answered{{http.StatusNoContent, ""}}, []string{"DELETE" + on + "/" + theID},
			[]string{"deleted " + theID}, nil, 0},
		{"deliveries", "deliveries --tenant acme " + theID + " --state retrying --since 2026-11-24T08:00:00Z",
			[]commandtest.Answered{commandtest.Ok(endpoints.Deliveries{Items: []attempt.Record{tried}})},
			[]string{"GET" + on + "/" + theID + "/deliveries?cursor=&limit=50&since=2026-11-24T08%3A00%3A00Z&state=retrying"},
			[]string{"https://then.test", "evt_1", "503"}, []string{"1 attempt\n"}, 0},
		{"token", "token --tenant acme --for 10m --read-only", []commandtest.Answered{{http.StatusCreated, endpoints.Token{Token: "a.b.c",
			Tenant: "acme", ExpiresAt: commandtest.Noon}}},
			[]string{`POST /api/v1/tenants/acme/tokens {"expires_in":"10m0s","read_only":true}`}, []string{"a.b.c\n"},
			[]string{"good for acme until"}, 0},
		{"refused", "show --tenant acme " + theID, []commandtest.Answered{commandtest.Problem(404, "the tenant acme has no endpoint")},
			[]string{"GET" + on + "/" + theID}, nil,
			[]string{"the tenant acme has no endpoint"}, 1},
	})
}

// TestEndpointsInDev: two tenants register an endpoint each; what is sent to one is
// listed with the URL that was called, and not for the other.
func TestEndpointsInDev(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusOK) })
	ids := map[string]string{}
	for _, tenant := range []string{"acme", "beta"} {
		out, _ := s.Local(t, "endpoints", "create", e.URL+"/"+tenant, "--tenant", tenant, "--type", "*", "--json")
		var made endpoints.Endpoint
		if err := json.Unmarshal([]byte(out), &made); err != nil || !strings.HasPrefix(made.ReceiverKey, "whsec_") {
			t.Fatalf("%v in %s", err, out)
		}
		ids[tenant] = made.ID
	}
	s.Send(t, fmt.Sprintf(`{"id":"evt_1","endpoint":%q,"tenant":"acme","event_type":"a","body":{}}`, ids["acme"]))
	var got endpoints.Deliveries
	for end := time.Now().Add(commandtest.Soon); len(got.Items) == 0 && time.Now().Before(end); {
		out, _ := s.Local(t, "endpoints", "deliveries", ids["acme"], "--tenant", "acme", "--state", "delivered", "--json")
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
	}
	if len(got.Items) != 1 || got.Items[0].URL != e.URL+"/acme" || got.Items[0].WebhookID != "evt_1" ||
		got.Items[0].Endpoint != ids["acme"] {
		t.Errorf("got %+v", got.Items)
	}
	if out, _ := s.Local(t, "endpoints", "deliveries", ids["beta"], "--tenant", "beta", "--json"); !strings.Contains(out, `"items":[]`) {
		t.Errorf("the other's are %s", out)
	}
}
