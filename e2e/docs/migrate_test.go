//go:build e2e

package docs

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/program"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
)

// served are what the other services' APIs answer, as their documentation has it, by
// path and what is asked for a further page.
var served = map[string]string{
	"/api/v1/app":   `{"data": [{"id": "app_1", "uid": "acme", "name": "Acme"}], "iterator": "1", "done": false}`,
	"/api/v1/app 1": `{"data": [{"id": "app_2", "name": "Beta"}], "iterator": "2", "done": true}`,
	"/api/v1/app/app_1/endpoint": `{"data": [{"id": "ep_1", "url": "https://acme.test/in", "description": "its first",
		"filterTypes": ["invoice.paid"], "rateLimit": 5, "disabled": false}], "iterator": "1", "done": true}`,
	"/api/v1/app/app_1/endpoint/ep_1/headers": `{"headers": {"X-A": "b"}, "sensitive": []}`,
	"/api/v1/app/app_1/endpoint/ep_1/secret":  `{"key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`,
	"/api/v1/app/app_2/endpoint": `{"data": [{"id": "ep_2", "url": "https://beta.test/in", "description": "",
		"channels": ["project_1"], "disabled": null}], "iterator": "1", "done": true}`,
	"/api/v1/app/app_2/endpoint/ep_2/headers": `{"headers": {}, "sensitive": ["Authorization"]}`,
	"/api/v1/app/app_2/endpoint/ep_2/secret":  `{"key": "whsec_b3RoZXI="}`,

	"/outpost/tenants": `{"models": [{"id": "acme"}], "pagination": {"next": null}}`,
	"/outpost/tenants/acme/destinations": `[
		{"id": "des_1", "type": "webhook", "topics": ["*"], "disabled_at": null, "config": {"url": "https://acme.test/in",
			"custom_headers": "{\"x-api-key\": \"k\"}"}, "credentials": {"secret": "5f676d19"}},
		{"id": "des_2", "type": "webhook", "topics": ["user.created"], "disabled_at": "2026-01-01T00:00:00Z", "filter": {"data": {"a": 1}},
			"config": {"url": "https://acme.test/two"}, "credentials": {"secret": "whsec_5f676d19"}}]`,

	"/convoy/subscriptions": `{"status": true, "data": {"content": [
		{"uid": "s1", "endpoint_metadata": {"uid": "e1"},
			"filter_config": {"event_types": ["invoice.paid"], "filter": {"body": {}, "headers": {}}}},
		{"uid": "s2", "endpoint_metadata": {"uid": "e1"}, "filter_config": {"event_types": ["user.created"], "filter": {}}}],
		"pagination": {"has_next_page": true, "next_page_cursor": "p2"}}}`,
	"/convoy/subscriptions p2": `{"status": true, "data": {"content": [
		{"uid": "s3", "endpoint_metadata": {"uid": "e2"}, "function": "f", "filter_config": {"event_types": ["*"]}}],
		"pagination": {"has_next_page": false}}}`,
	"/convoy/endpoints": `{"status": true, "data": {"content": [
		{"uid": "e1", "url": "https://acme.test/in", "owner_id": "acme", "status": "active", "advanced_signatures": true, "rate_limit": 60,
			"rate_limit_duration": 60, "secrets": [{"value": "old"}, {"value": "Vuk5LM0uujddIsqO5v"}],
			"authentication": {"type": "api_key", "api_key": {"header_name": "X-Api-Key", "header_value": "k"}}},
		{"uid": "e2", "url": "https://beta.test/in", "owner_id": "", "status": "active", "secrets": [{"value": "another"}]}],
		"pagination": {"has_next_page": false}}}`,
}

// TestMigrate runs the program of docs/migrating.md on what the services answer: what
// it makes of that is an endpoint, with the secret that its receiver has.
func TestMigrate(t *testing.T) {
	t.Parallel()
	service := services(t)
	for name, c := range map[string]struct {
		path  string
		want  []string
		tells string
	}{
		"svix": {"", []string{
			`{"tenant": "acme", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "endpoint": {"url": "https://acme.test/in",
				"description": "its first", "headers": {"X-A": "b"}, "event_types": ["invoice.paid"], "rate_per_second": 5,
				"signature": {"scheme": "svix"}, "secret": "efferent/webhooks/acme#ep_1", "labels": {"migrated-from": "ep_1"}}}`,
			`{"tenant": "app_2", "secret": "whsec_b3RoZXI=", "endpoint": {"url": "https://beta.test/in", "event_types": ["*"],
				"signature": {"scheme": "svix"}, "state": "disabled", "secret": "efferent/webhooks/app_2#ep_2",
				"labels": {"migrated-from": "ep_2"}}}`,
		}, "the header Authorization"},
		"outpost": {"/outpost", []string{
			`{"tenant": "acme", "secret": "5f676d19", "endpoint": {"url": "https://acme.test/in", "event_types": ["*"],
				"headers": {"x-api-key": "k"}, "signature": {"scheme": "outpost"}, "secret": "efferent/webhooks/acme#des_1",
				"labels": {"migrated-from": "des_1"}}}`,
			`{"tenant": "acme", "secret": "whsec_5f676d19", "endpoint": {"url": "https://acme.test/two", "event_types": ["user.created"],
				"signature": {"scheme": "outpost"}, "state": "disabled", "secret": "efferent/webhooks/acme#des_2",
				"labels": {"migrated-from": "des_2"}}}`,
		}, "des_2: it is disabled for what is not carried over: its filter"},
		"convoy": {"/convoy", []string{
			`{"tenant": "acme", "secret": "Vuk5LM0uujddIsqO5v", "endpoint": {"url": "https://acme.test/in",
				"event_types": ["invoice.paid", "user.created"], "headers": {"X-Api-Key": "k"}, "rate_per_second": 1.0,
				"signature": {"scheme": "convoy", "timestamped": true}, "secret": "efferent/webhooks/acme#e1", "labels": {"migrated-from": "e1"}}}`,
			`{"tenant": "default", "secret": "another", "endpoint": {"url": "https://beta.test/in", "event_types": ["*"],
				"signature": {"scheme": "convoy", "timestamped": false}, "state": "disabled", "secret": "efferent/webhooks/default#e2",
				"labels": {"migrated-from": "e2"}}}`,
		}, "e2: it is disabled for what is not carried over: a function"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			printed, told := migrate(t, name, service+c.path)
			if !strings.Contains(told, c.tells) {
				t.Errorf("it tells %q, want %q", told, c.tells)
			}
			lines := strings.Split(strings.TrimSpace(printed), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("%d lines:\n%s", len(lines), printed)
			}
			for i, want := range c.want {
				if sorted(t, lines[i]) != sorted(t, want) {
					t.Errorf("got  %s\nwant %s", lines[i], want)
				}
				canBeMeant(t, lines[i])
			}
		})
	}
}

// services are the other services' APIs, at a URL.
func services(t *testing.T) string {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		key := strings.TrimSpace(r.URL.Path + " " + q.Get("iterator") + q.Get("next_page_cursor"))
		if text, ok := served[key]; ok && r.Header.Get("Authorization") == "Bearer t0ken" {
			_, _ = w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(service.Close)
	return service.URL
}

// TestMigrateRegisters has the program register what it finds with an efferent dev.
func TestMigrateRegisters(t *testing.T) {
	service := services(t)
	s := newSuites(t)
	efferent, aws, api := filepath.Join(s.dir, "bin", "efferent"), address(t), address(t)
	dev, err := program.Start(t.Context(), exec.Command(efferent, "dev", "--aws", aws, "--http", api, "--data", ":memory:"), t.TempDir(),
		program.Listens(api))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Stop)
	t.Setenv("PATH", filepath.Dir(efferent)+":"+os.Getenv("PATH"))
	t.Setenv("AWS_ENDPOINT_URL", "http://"+aws)
	t.Setenv("EFFERENT_API_URL", "http://"+api)
	for name, path := range map[string]string{"svix": "", "outpost": "/outpost", "convoy": "/convoy"} {
		migrate(t, name, service+path, "--dev")
	}
	for tenant, want := range map[string]map[string]endpoint.State{
		"acme":    {"ep_1": endpoint.Enabled, "des_1": endpoint.Enabled, "des_2": endpoint.Disabled, "e1": endpoint.Enabled},
		"app_2":   {"ep_2": endpoint.Disabled},
		"default": {"e2": endpoint.Disabled},
	} {
		got := map[string]endpoint.State{}
		for _, e := range registered(t, "http://"+api, tenant) {
			got[e.Labels["migrated-from"]] = e.State
			if e.Signature == nil || e.Secret == "" {
				t.Errorf("%s: %+v", tenant, e)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", tenant, got, want)
		}
	}
}

func registered(t *testing.T, api, tenant string) []endpoint.Endpoint {
	t.Helper()
	resp, err := http.Get(api + "/api/v1/tenants/" + tenant + "/endpoints")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct{ Items []endpoint.Endpoint }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// migrate runs the program, and returns what it prints and what it tells.
func migrate(t *testing.T, service, url string, flags ...string) (printed, told string) {
	t.Helper()
	script, err := filepath.Abs("../migrate/migrate.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("PYTHON"), append([]string{script, service}, flags...)...)
	cmd.Env = append(os.Environ(), "SERVICE_URL="+url, "SERVICE_TOKEN=t0ken")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	return out.String(), errs.String()
}

// sorted is a JSON text with its keys in order.
func sorted(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// canBeMeant reads an endpoint as the API does.
func canBeMeant(t *testing.T, line string) {
	t.Helper()
	var is struct {
		Tenant   string
		Endpoint endpoint.Endpoint
	}
	if err := json.Unmarshal([]byte(line), &is); err != nil {
		t.Fatal(err)
	}
	if is.Endpoint.State == "" {
		is.Endpoint.State = endpoint.Enabled
	}
	if problem := message.CheckOwner(is.Tenant); problem != "" {
		t.Errorf("the tenant %q %s", is.Tenant, problem)
	}
	if _, err := is.Endpoint.Check(); err != nil {
		t.Errorf("%v: %s", err, line)
	}
}
