package worker

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
)

const exampleToken = "example-token-of-32-characters-x"

// TestWhoIsServed: nobody but this machine, unless there is a lock on the door.
func TestWhoIsServed(t *testing.T) {
	hosts := []string{"efferent.internal"}
	for _, c := range []struct {
		name  string
		flags workerHTTP
		token string
		says  string // empty: it is served
	}{
		{"nobody", workerHTTP{}, "", ""},
		{"this machine", workerHTTP{HTTP: "127.0.0.1:8080"}, "", ""},
		{"this machine by name", workerHTTP{HTTP: "localhost:8080"}, "", ""},
		{"this machine by IPv6", workerHTTP{HTTP: "[::1]:8080"}, "", ""},
		{"all networks", workerHTTP{HTTP: "0.0.0.0:8080"}, "", "--allow-host"},
		{"all networks, shortly", workerHTTP{HTTP: ":8080"}, "", "--allow-host"},
		{"all networks of IPv6", workerHTTP{HTTP: "[::]:8080"}, exampleToken, "--allow-host"},
		{"a network", workerHTTP{HTTP: "10.0.0.7:8080", BehindAuth: true}, "", "--allow-host"},
		{"a name without a lock", workerHTTP{HTTP: "0.0.0.0:8080", AllowHost: hosts}, "", "ask for a token"},
		{"a proxy on this machine without a lock", workerHTTP{HTTP: "127.0.0.1:8080", AllowHost: hosts}, "", "ask for a token"},
		{"a name with a token", workerHTTP{HTTP: "0.0.0.0:8080", AllowHost: hosts}, exampleToken, ""},
		{"a name with a token in a file", workerHTTP{HTTP: "0.0.0.0:8080", AllowHost: hosts, TokenFrom: "t"}, "", ""},
		{"a name behind a front", workerHTTP{HTTP: "0.0.0.0:8080", AllowHost: hosts, BehindAuth: true}, "", ""},
		{"two tokens", workerHTTP{HTTP: "127.0.0.1:8080", TokenFrom: "t"}, exampleToken, "use one"},
		{"no port", workerHTTP{HTTP: "127.0.0.1"}, "", "HOST:PORT"},
		{"no name", workerHTTP{HTTP: "0.0.0.0:80", AllowHost: []string{"*"}, BehindAuth: true}, "", "is no host name"},
		{"no API", workerHTTP{AllowHost: hosts}, "", "--http"},
		{"a token for nothing", workerHTTP{TokenFrom: "t"}, "", "--http"},
		{"a front of nothing", workerHTTP{BehindAuth: true}, "", "--http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(apiToken, c.token)
			if err := c.flags.check(); c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// TestToken: only the token opens, however it is written down.
func TestToken(t *testing.T) {
	t.Parallel()
	h := tokenOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") }), exampleToken, true)
	for authorization, in := range map[string]bool{
		"Bearer " + exampleToken: true, "bearer " + exampleToken: true, "Bearer  " + exampleToken: true,
		"": false, "Bearer": false, "Bearer ": false, exampleToken: false, "Basic " + exampleToken: false,
		"Bearer " + exampleToken[1:]: false, "Bearer " + exampleToken + "x": false, "Bearer " + strings.ToUpper(exampleToken): false,
	} {
		r, w := httptest.NewRequest(http.MethodGet, "/api/v1/dlq", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", authorization)
		h.ServeHTTP(w, r)
		if in != (w.Code == http.StatusOK) || !in && (w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" ||
			!json.Valid(w.Body.Bytes()) || strings.Contains(w.Body.String(), exampleToken)) {
			t.Errorf("%q: %d %s", authorization, w.Code, w.Body)
		}
	}
}

// TestWhereTheTokenIs: in the environment, a file or a secret; never one that could
// be guessed.
func TestWhereTheTokenIs(t *testing.T) {
	s := devtest.StartEndpoint(t)
	s.PutSecret(t, "efferent/api", exampleToken)
	file := filepath.Join(t.TempDir(), "token")
	short := filepath.Join(t.TempDir(), "short")
	for name, text := range map[string]string{file: exampleToken + "\n", short: "secret\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secrets := secretsmanager.NewFromConfig(scenario.Config(s.AWSURL))
	for _, c := range []struct{ env, from, want, says string }{
		{"", "", "", ""},
		{exampleToken, "", exampleToken, ""},
		{"", file, exampleToken, ""},
		{"", "efferent/api", exampleToken, ""},
		{"short", "", "", apiToken},
		{"two words are not a token", "", "", apiToken},
		{"", short, "", "--token-from"},
		{"", "efferent/none", "", "efferent/none"},
		{"", filepath.Join(t.TempDir(), "none"), "", "no such file"},
	} {
		t.Setenv(apiToken, c.env)
		got, err := (&workerHTTP{TokenFrom: c.from}).token(t.Context(), secrets)
		if got != c.want || c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
		if err != nil && c.env != "" && strings.Contains(err.Error(), c.env) {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}

// TestHealth is told to everybody, by whatever name they ask, and says what is
// wrong with which queue.
func TestHealth(t *testing.T) {
	t.Parallel()
	ill := &queueWatch{name: "webhooks", log: slog.New(slog.DiscardHandler)}
	ill.trouble = queueTrouble{"does not exist", time.Now()}
	well := &queueWatch{name: "audit.fifo"}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, c := range []struct {
		name, path string
		h          health
		status     int
		says       string
	}{
		{"well", "/healthz", health{[]*queueWatch{well}, t.Context()}, 200, `{"status":"ok","queues":[{"queue":"audit.fifo","status":"ok"}]}`},
		{"well", "/readyz", health{[]*queueWatch{well}, t.Context()}, 200, `"status":"ok"`},
		{"ill", "/healthz", health{[]*queueWatch{well, ill}, t.Context()}, 200, `"status":"trouble","reason":"does not exist","since":"`},
		{"ill", "/readyz", health{[]*queueWatch{well, ill}, t.Context()}, 503,
			`{"queue":"webhooks","status":"trouble","reason":"does not exist"`},
		{"stopping", "/healthz", health{[]*queueWatch{well}, ended}, 200, `"status":"stopping"`},
		{"stopping", "/readyz", health{[]*queueWatch{well}, ended}, 503, `"status":"stopping"`},
		{"another path", "/api/v1/dlq", health{[]*queueWatch{well}, t.Context()}, 401, "token"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://10.1.2.3"+c.path, nil)
		c.h.before(tokenOnly(http.NotFoundHandler(), exampleToken, false)).ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.name, c.path, w.Code, w.Body)
		}
	}
}
