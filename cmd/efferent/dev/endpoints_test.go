package dev

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/certificate"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/settings"
)

// TestPrivateAuthority: an endpoint that a private authority vouches for is not
// connected to before that is trusted, by a file or a secret. What could not be
// sent is sent then.
func TestPrivateAuthority(t *testing.T) {
	t.Parallel()
	files, err := certificate.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	url := private(t, files)
	bundle, err := os.ReadFile(files.Authority)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	p := commandtest.StartProcess(t, nil, args...)
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	p.PutSecret(t, "efferent/ca", string(bundle))
	p.Send(t, scenario.Text("evt_1", url, `"retry":"standard"`))
	first := p.AttemptsUntil(t, "evt_1", func(attempt.Verdict) bool { return true })[0]
	if first.Verdict != attempt.Retryable || !strings.HasPrefix(first.Reason, "TLS: ") ||
		!strings.Contains(first.Reason, "unknown authority") {
		t.Errorf("without the bundle: %+v", first)
	}
	for id, where := range map[string]string{"evt_2": files.Authority, "evt_3": "efferent/ca"} {
		p.Kill()
		p = commandtest.StartProcess(t, []string{settings.CABundle + "=" + where}, args...)
		p.Send(t, scenario.Text(id, url))
		if got := scenario.Verdicts(p.Attempts(t, id)); got != "1:200:delivered" {
			t.Errorf("with %s: %s", where, got)
		}
	}
	if got := scenario.Verdicts(p.Attempts(t, "evt_1")); got != "1:0:retryable 2:200:delivered" {
		t.Errorf("what failed before: %s", got)
	}
}

// private is the URL of a receiver that takes everything, over TLS.
func private(t *testing.T, files certificate.Files) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// TestTimeouts: a message may give its endpoint more time than the others have, or
// less.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", map[string]string{settings.Timeout: "1s"})
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	e := scenario.NewEndpoint(t, func(_ http.ResponseWriter, r *http.Request, nth int) {
		if nth > 1 && r.URL.Path == "/twice" {
			return
		}
		select {
		case <-time.After(2 * time.Second):
		case <-r.Context().Done():
		}
	})
	for id, c := range map[string]struct{ path, more, want, reason string }{
		"patient": {"/", `"timeout":"20s"`, "1:200:delivered", ""},
		"default": {"/twice", `"tenant":"acme"`, "1:0:retryable 2:200:delivered", "no answer within 1s"},
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			s.Send(t, scenario.Text(id, e.URL+c.path, c.more))
			records := s.Attempts(t, id)
			if got := scenario.Verdicts(records); got != c.want || records[0].Reason != c.reason {
				t.Errorf("got %s, %q; want %s, %q", got, records[0].Reason, c.want, c.reason)
			}
		})
	}
	s.Send(t, scenario.Text("hasty", e.URL, `"timeout":"500ms"`), scenario.Text("endless", e.URL, `"timeout":"21s"`))
	for _, id := range []string{"hasty", "endless"} {
		records := s.Attempts(t, id)
		if records[0].Verdict != attempt.Permanent || !strings.HasPrefix(records[0].Reason, `field "timeout": `) {
			t.Errorf("%s: %+v", id, records[0])
		}
	}
}
