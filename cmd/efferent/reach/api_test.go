package reach

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// testKey is what requests are signed with; testKeyEnv gives it to a command.
var (
	testKey = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "session"}
)

// verifySigned signs a request anew, as it arrived, and compares.
func verifySigned(t *testing.T, method, target, host, body string, h http.Header, region string) {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", h.Get("X-Amz-Date"))
	if err != nil {
		t.Fatalf("X-Amz-Date: %v in %v", err, h)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+host+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), testKey, req, hex.EncodeToString(sum[:]), "execute-api", region, at); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Get("Authorization"), req.Header.Get("Authorization"); got != want || h.Get("X-Amz-Security-Token") != "session" {
		t.Errorf("%s %s: Authorization is\n%s, want\n%s", method, target, got, want)
	}
}

// TestSigned has every kind of request checked as API Gateway checks it, behind
// a stage's path too.
func TestSigned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stage, region string
		args          []string
		answer        commandtest.Answered
		target, body  string
	}{
		"a GET with a query": {"", "eu-north-1", []string{"list", "--reason", "a b&c/é*"}, commandtest.Ok(replay.Items{}),
			"GET /api/v1/dlq?limit=50&queue=webhook-failures&reason=a%20b%26c%2F%C3%A9%2A", ""},
		"a POST with a body": {"/prod/", "eu-north-1", []string{"replay", "--tenant", "acme", "--yes"},
			commandtest.Some(deadletter.Completed, "", 1, 0, ""),
			"POST /prod/api/v1/dlq/webhook-failures/replay", `{"tenant":"acme"}`},
		"a POST without one": {"/prod", "", []string{"replay", "item-1"}, commandtest.OneItem(deadletter.Completed, ""),
			"POST /prod/api/v1/dlq/webhook-failures/replay/item-1", ""},
		"a DELETE": {"", "eu-north-1", []string{"rm", "it em"}, commandtest.Answered{Status: 204},
			"DELETE /api/v1/dlq/webhook-failures/it%20em", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, c.answer)
			cmd := api.Prepare(append([]string{"dlq"}, c.args...)...)
			cmd.Env = append(append(cmd.Env, commandtest.TestKeyEnv...), "AWS_REGION="+c.region, "EFFERENT_API_URL="+api.URL+c.stage)
			if got := commandtest.Finish(cmd); got.Code != 0 {
				t.Fatalf("%+v", got)
			}
			api.Expect(t, strings.TrimSpace(c.target+" "+c.body))
			method, target, _ := strings.Cut(c.target, " ")
			region := c.region
			if region == "" {
				region = "us-east-1" // of this machine
			}
			verifySigned(t, method, target, strings.TrimPrefix(api.URL, "http://"), c.body, api.Headers[0], region)
		})
	}
}

// TestWhoAsks shows what goes along with a request: a signature, a token, or
// nothing.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, env []string
		sends     string // what Authorization begins with
	}{
		"credentials":                   {nil, commandtest.TestKeyEnv, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"},
		"a token":                       {[]string{"--token", "a.b.c"}, commandtest.TestKeyEnv, "Bearer a.b.c"},
		"a token in the environment":    {nil, []string{"EFFERENT_API_TOKEN=a.b.c"}, "Bearer a.b.c"},
		"none":                          {nil, nil, ""},
		"a profile that is not there":   {nil, []string{"AWS_PROFILE=none"}, ""},
		"dev, whatever the environment": {[]string{"--dev"}, commandtest.TestKeyEnv, ""},
		"dev, and a token that is set":  {[]string{"--dev"}, []string{"EFFERENT_API_TOKEN=a.b.c"}, ""},
		"metadata of EC2 is not asked": {nil, []string{"AWS_EC2_METADATA_DISABLED=",
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1"}, ""},
		"credentials, and no region here": {nil, append([]string{"AWS_REGION="}, commandtest.TestKeyEnv...),
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, commandtest.Ok(replay.Items{}))
			cmd := api.Prepare(append([]string{"dlq", "list"}, c.args...)...)
			cmd.Env = append(cmd.Env, c.env...)
			if got := commandtest.Finish(cmd); got.Code != 0 {
				t.Fatalf("%+v", got)
			}
			got := api.Headers[0].Get("Authorization")
			if !strings.HasPrefix(got, c.sends) || c.sends == "" && got != "" {
				t.Errorf("Authorization is %q, want %q", got, c.sends)
			}
		})
	}
}

// TestRefusedRequests: what a person is told who is not let in, or does not
// come as far.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	const elsewhere = "https://a1b2c3.execute-api.eu-north-1.amazonaws.com"
	forbidden := commandtest.Answered{http.StatusForbidden, `{"message":"Forbidden"}`}
	for name, c := range map[string]struct {
		answer    commandtest.Answered
		args, env []string
		says      string
	}{
		"not allowed": {forbidden, nil, commandtest.TestKeyEnv, "answered 403 Forbidden: it refused the request; is execute-api:Invoke allowed " +
			"for these credentials"},
		"said in capitals": {commandtest.Answered{http.StatusForbidden, `{"Message":"User is not authorized"}`}, nil, commandtest.TestKeyEnv,
			"answered 403 User is not authorized: "},
		"unsigned": {forbidden, nil, nil, "which was not signed"},
		"a token too old": {commandtest.Answered{http.StatusUnauthorized, `{"message":"Unauthorized"}`}, []string{"--token", "x"}, nil,
			"it refused the token"},
		"too many": {commandtest.Answered{http.StatusTooManyRequests, `{"message":"Too Many Requests"}`}, nil, nil,
			"answered 429 Too Many Requests\n"},
		"a gateway in trouble": {commandtest.Answered{http.StatusServiceUnavailable, "x"}, nil, nil, "answered 503 Service Unavailable\n"},
		"wrong parameters": {commandtest.Problem(400, "parameter since: is not a time"), nil, nil,
			"efferent: parameter since: is not a time\n"},
		"nobody there": {commandtest.Answered{}, []string{"--api", "http://127.0.0.1:1"}, nil,
			"the API does not answer at http://127.0.0.1:1: dial tcp"},
		"no dev there": {commandtest.Answered{}, []string{"--dev", "--api", "http://127.0.0.1:1"}, nil,
			"no efferent dev answers at http://127.0.0.1:1"},
		"no URL":             {commandtest.Answered{}, nil, []string{"EFFERENT_API_URL="}, "where is the API?"},
		"no scheme":          {commandtest.Answered{}, []string{"--api", "a.test/prod"}, nil, `--api "a.test/prod" is not a URL`},
		"a URL with a query": {commandtest.Answered{}, []string{"--api", "https://a.test/?x=1"}, nil, "is not a URL"},
		"no credentials": {commandtest.Answered{}, []string{"--api", elsewhere}, nil,
			"no AWS credentials to sign requests to a1b2c3.execute-api"},
		"no region": {commandtest.Answered{}, []string{"--api", "https://api.acme.test"}, commandtest.TestKeyEnv,
			"in which AWS region is api.acme.test? Set AWS_REGION"},
		"a token in plain sight": {commandtest.Answered{}, []string{"--api", "http://api.acme.test", "--token", "hush"}, nil,
			"must begin with https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, c.answer)
			cmd := api.Prepare(append([]string{"dlq", "list"}, c.args...)...)
			cmd.Env = append(cmd.Env, c.env...)
			got := commandtest.Finish(cmd)
			if got.Code == 0 || got.Stdout != "" || !strings.Contains(got.Stderr, c.says) || strings.Contains(got.Stderr, "hush") {
				t.Errorf("%+v; want it to tell %q", got, c.says)
			}
		})
	}
}

func TestRegionOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"https://a1b2c3.execute-api.eu-north-1.amazonaws.com/prod":   "eu-north-1",
		"https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn:443": "cn-north-1",
		"https://a1b2c3.execute-api.eu-north-1.amazonaws.com.evil":   "",
		"https://api.acme.test": "",
		"http://127.0.0.1:4566": "",
	} {
		u, err := url.Parse(host)
		if err != nil {
			t.Fatal(err)
		}
		if got := regionOf(u); got != want {
			t.Errorf("%s is in %q, want %q", host, got, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"http://127.0.0.1:80": true, "http://[::1]:80": true, "http://localhost": true,
		"http://a.localhost:1": true, "http://LOCALHOST.:1": true, "http://[::ffff:127.0.0.1]": true,
		"http://localhost.acme.test": false, "https://10.0.0.1": false, "http://0.0.0.0": false} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if isLoopback(u) != want {
			t.Errorf("%s: want %v", text, want)
		}
	}
}
