package commandtest

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

// Answered is one answer of a scripted API.
type Answered = struct {
	Status int
	// Value is written as JSON; a string as it stands.
	Value any
}

// Problem is an answer of the API that is no success.
func Problem(status int, detail string) Answered {
	return Answered{status, api.Problem{Status: status, Detail: detail}}
}

// scriptedAPI gives its answers in turn, the last one again and again, and
// remembers what was asked.
type scriptedAPI struct {
	*httptest.Server
	t *testing.T
	// Seen gets a request when it has been written down.
	Seen chan string

	mu      sync.Mutex
	answers []Answered
	asked   []string
	Headers []http.Header
}

// ScriptAPI starts an API with these answers.
func ScriptAPI(t *testing.T, answers ...Answered) *scriptedAPI {
	t.Helper()
	s := &scriptedAPI{t: t, answers: answers, Seen: make(chan string, 1000)}
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
	s.asked, s.Headers = append(s.asked, text), append(s.Headers, r.Header)
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	s.Seen <- text
	switch value := next.Value.(type) {
	case Hang:
		<-r.Context().Done()
	case Dropped:
		panic(http.ErrAbortHandler)
	case nil:
		w.WriteHeader(next.Status)
	case string:
		w.WriteHeader(next.Status)
		_, _ = io.WriteString(w, value)
	default:
		w.WriteHeader(next.Status)
		if err := json.MarshalWrite(w, value); err != nil {
			s.t.Errorf("an answer: %v", err)
		}
	}
}

// Hang answers nothing until the client is gone, dropped cuts the connection.
type (
	Hang    struct{}
	Dropped struct{}
)

// NoAWS is an environment without credentials.
var NoAWS = []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_REGION=",
	"AWS_DEFAULT_REGION=",
	"AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none", "AWS_EC2_METADATA_DISABLED=true", "EFFERENT_API_TOKEN=", "TZ=UTC"}

// Prepare is a command against s.
func (s *scriptedAPI) Prepare(args ...string) *exec.Cmd {
	c := Command(args...)
	c.Env = append(append(c.Env, NoAWS...), "EFFERENT_API_URL="+s.URL)
	return c
}

// ran is what a command did.
type ran struct {
	Stdout, Stderr string
	Code           int
}

// Finish runs a command to its end.
func Finish(c *exec.Cmd) ran {
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run() // its exit code tells
	return ran{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// Expect checks which requests were made.
func (s *scriptedAPI) Expect(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestKeyEnv are credentials, for who signs.
var TestKeyEnv = []string{"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SESSION_TOKEN=session"}
