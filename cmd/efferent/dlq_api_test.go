package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/api"
)

// answered is one answer of a scripted API.
type answered struct {
	status int
	// value is written as JSON; a string as it stands.
	value any
}

// problem is an answer of the API that is no success.
func problem(status int, detail string) answered {
	return answered{status, api.Problem{Status: status, Detail: detail}}
}

// scriptedAPI gives its answers in turn, the last one again and again, and
// remembers what was asked.
type scriptedAPI struct {
	*httptest.Server
	t *testing.T
	// seen gets a request when it has been written down.
	seen chan string

	mu      sync.Mutex
	answers []answered
	asked   []string
	headers []http.Header
}

func scriptAPI(t *testing.T, answers ...answered) *scriptedAPI {
	t.Helper()
	s := &scriptedAPI{t: t, answers: answers, seen: make(chan string, 1000)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *scriptedAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("a request broke off: %v", err)
	}
	text := strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
	s.mu.Lock()
	s.asked, s.headers = append(s.asked, text), append(s.headers, r.Header)
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	s.seen <- text
	switch value := next.value.(type) {
	case hang:
		<-r.Context().Done()
	case dropped:
		panic(http.ErrAbortHandler)
	case nil:
		w.WriteHeader(next.status)
	case string:
		w.WriteHeader(next.status)
		_, _ = io.WriteString(w, value)
	default:
		w.WriteHeader(next.status)
		if err := json.MarshalWrite(w, value); err != nil {
			s.t.Errorf("an answer: %v", err)
		}
	}
}

// hang answers nothing until the client is gone, dropped cuts the connection.
type (
	hang    struct{}
	dropped struct{}
)

// noAWS is an environment without credentials.
var noAWS = []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_REGION=",
	"AWS_DEFAULT_REGION=",
	"AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none", "AWS_EC2_METADATA_DISABLED=true", "EFFERENT_API_TOKEN=", "TZ=UTC"}

// prepare is a command against s.
func (s *scriptedAPI) prepare(args ...string) *exec.Cmd {
	c := command(args...)
	c.Env = append(append(c.Env, noAWS...), "EFFERENT_API_URL="+s.URL)
	return c
}

// ran is what a command did.
type ran struct {
	stdout, stderr string
	code           int
}

func finish(c *exec.Cmd) ran {
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run() // its exit code tells
	return ran{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// expect checks which requests were made.
func (s *scriptedAPI) expect(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
