package reach_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestErrorsOfAWS: what is missing or wrong is told with what to set or to run.
func TestErrorsOfAWS(t *testing.T) {
	t.Parallel()
	refuse := func(code string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Query-Error", code+";Sender")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s","message":"no"}`, code)
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) // nil: nobody listens
		env    []string
		args   string
		says   []string
	}{
		"no credentials":      {refuse("x"), commandtest.NoAWS, "", []string{"no AWS credentials; set AWS_PROFILE, sign in, or use --dev"}},
		"no region":           {refuse("x"), append(commandtest.NoAWS, commandtest.TestKeyEnv...), "", []string{"set AWS_REGION"}},
		"expired":             {refuse("ExpiredToken"), nil, "", []string{"have expired; sign in again"}},
		"unknown credentials": {refuse("InvalidClientTokenId"), nil, "", []string{"aws sts get-caller-identity", "AWS_PROFILE"}},
		"a wrong key":         {refuse("SignatureDoesNotMatch"), nil, "", []string{"is the secret key whole"}},
		"not allowed":         {refuse("AccessDeniedException"), nil, "", []string{"may not do this; docs/deploy.md"}},
		"no queue": {refuse("QueueDoesNotExist"), nil, "",
			[]string{"there is no queue webhooks at http", "deploy Efferent", "--prefix"}},
		"a prefix": {refuse("QueueDoesNotExist"), nil, "--prefix prod-",
			[]string{"no queue prod-webhooks", "is --prefix (EFFERENT_PREFIX)"}},
		"nobody listens": {nil, nil, "", []string{"nobody listens at --endpoint-url http", "AWS_ENDPOINT_URL"}},
		"no dev":         {nil, nil, "--dev", []string{"no efferent dev answers; start one"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(c.answer))
			t.Cleanup(server.Close)
			if c.answer == nil {
				server.Close()
			}
			env := append([]string{"AWS_ENDPOINT_URL=" + server.URL}, c.env...)
			if c.env == nil {
				env = append(append(append(env, commandtest.NoAWS...), commandtest.TestKeyEnv...), "AWS_REGION=eu-north-1")
			} else if name == "no credentials" {
				env = append(env, "AWS_REGION=eu-north-1")
			}
			cmd := commandtest.Command(strings.Fields("send --url https://a.test --secret " + commandtest.HookSecret + " --event a --body 1 " +
				c.args)...)
			cmd.Env = append(append(cmd.Env, "AWS_MAX_ATTEMPTS=1"), env...)
			got := commandtest.Finish(cmd)
			if got.Code != 1 || got.Stdout != "" {
				t.Errorf("exit code %d, %q", got.Code, got.Stdout)
			}
			commandtest.MustHold(t, "stderr", got.Stderr, c.says)
		})
	}
}

// TestWrongPrefix: the stacks that are there are named.
func TestWrongPrefix(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	if _, err := s.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("staging-webhooks")}); err != nil {
		t.Fatal(err)
	}
	_, stderr, err := s.Command("", "send", "--dev", "--prefix", "stagin-", "--url", "https://a.test", "--secret", commandtest.HookSecret,
		"--event", "a",
		"--body", "1")
	if err == nil || !strings.Contains(stderr, `staging-webhooks is there, whose prefix is "staging-"`) ||
		!strings.Contains(stderr, "set --prefix") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// TestNoAPI: an API that is not there, and credentials that it refuses.
func TestNoAPI(t *testing.T) {
	t.Parallel()
	got := commandtest.Finish(commandtest.ScriptAPI(t).Prepare("dlq", "list", "--dev", "--api", "http://efferent-api.invalid"))
	if !strings.Contains(got.Stderr, "there is no host efferent-api.invalid; is the API deployed") {
		if _, err := net.LookupHost("efferent-api.invalid"); err == nil || !strings.Contains(err.Error(), "no such host") {
			t.Skipf("names can't be looked up here: %v", err)
		}
		t.Errorf("%+v", got)
	}
	expired := commandtest.ScriptAPI(t, commandtest.Answered{http.StatusForbidden,
		map[string]string{"message": "The security token included in the request is expired"}})
	if got := commandtest.Finish(expired.Prepare("dlq", "list")); !strings.Contains(got.Stderr, "sign in again") {
		t.Errorf("%+v", got)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	cmd := commandtest.ScriptAPI(t, commandtest.Ok(replay.Items{})).Prepare("dlq", "list", "--dev", "--api", closed.URL)
	if got := commandtest.Finish(cmd); !strings.Contains(got.Stderr, "no efferent dev answers at "+closed.URL+"; start one") {
		t.Errorf("%+v", got)
	}
}
