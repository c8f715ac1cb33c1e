package fromenv

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func lambda(more map[string]string) func(string) string {
	return func(name string) string {
		if v, ok := more[name]; ok {
			return v
		}
		return map[string]string{"AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
			"AWS_SESSION_TOKEN": "token"}[name]
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	c, err := Config(lambda(nil))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Credentials.Retrieve(t.Context())
	if err != nil || c.Region != "eu-north-1" || got.AccessKeyID != "key" || got.SecretAccessKey != "secret" || got.SessionToken != "token" ||
		c.BaseEndpoint != nil {
		t.Errorf("got %+v, %+v, %v", c, got, err)
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if _, err := Config(lambda(map[string]string{name: ""})); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestEndpointAndAuthority calls a server that only the bundle vouches for.
func TestEndpointAndAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=key/") || r.Header.Get("X-Amz-Security-Token") != "token" {
			t.Errorf("signed as %s", r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(`{"QueueUrls":["u"]}`))
	}))
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Config(lambda(map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": bundle}))
	if err != nil {
		t.Fatal(err)
	}
	out, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(out.QueueUrls) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
}

// stuck hangs in the first so many requests, before the headers of its answer or
// in the middle of its body, and counts requests and connections.
type stuck struct {
	first      int32
	inBody     bool
	requests   atomic.Int32
	connection atomic.Int32
}

func (s *stuck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
	n := s.requests.Add(1)
	if n > s.first {
		_, _ = io.WriteString(w, `{"QueueUrls":["u"]}`)
		return
	}
	if s.inBody {
		_, _ = io.WriteString(w, `{"QueueUrls":`)
		_ = http.NewResponseController(w).Flush()
	}
	<-r.Context().Done()
}

func (s *stuck) start(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connection.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// TestTries: a try that hangs is not the end of the call.
func TestTries(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		s     *stuck
		tries int32
		fails bool
	}{
		"before the answer":   {&stuck{first: 1}, 2, false},
		"in the answer":       {&stuck{first: 1, inBody: true}, 2, false},
		"again and again":     {&stuck{first: 9}, 3, true},
		"nothing ever hangs":  {&stuck{}, 1, false},
		"twice in the answer": {&stuck{first: 2, inBody: true}, 3, false},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			config, err := Config(lambda(map[string]string{"AWS_ENDPOINT_URL": c.s.start(t)}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 30*time.Second) // as a function has
			defer stop()
			_, err = sqs.NewFromConfig(config).ListQueues(ctx, &sqs.ListQueuesInput{})
			if (err != nil) != c.fails || c.s.requests.Load() != c.tries {
				t.Errorf("%v after %d tries, want %d", err, c.s.requests.Load(), c.tries)
			}
		})
	}
}

// TestConnectionsAreKept for the calls of the next invocations.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := new(stuck)
	config, err := Config(lambda(map[string]string{"AWS_ENDPOINT_URL": s.start(t)}))
	if err != nil {
		t.Fatal(err)
	}
	client := sqs.NewFromConfig(config)
	for range 3 {
		if _, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if s.requests.Load() != 3 || s.connection.Load() != 1 {
		t.Errorf("%d requests on %d connections", s.requests.Load(), s.connection.Load())
	}
}

func TestBadAuthority(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".none"} {
		if _, err := Config(lambda(map[string]string{"AWS_CA_BUNDLE": file})); err == nil || !strings.Contains(err.Error(), "AWS_CA_BUNDLE") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
