package reach

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/loopback"
)

// apiTime is how long one request may take: API Gateway answers within 30 s.
const apiTime = 35 * time.Second

// APIFlags say where the API is, and who asks.
type APIFlags struct {
	Dev   bool   `help:"Speak to the efferent dev of this machine."`
	API   string `name:"api" env:"EFFERENT_API_URL" placeholder:"URL" help:"Where the API is; requests are signed with your AWS credentials."`
	Token string `env:"EFFERENT_API_TOKEN" placeholder:"JWT" help:"Send this token instead of a signature."`
}

// base is the API's URL, its path without a slash at the end.
func (f *APIFlags) base() (*url.URL, error) {
	text := f.API
	if text == "" && f.Dev {
		text = "http://" + DevHTTP
	}
	if text == "" {
		return nil, console.Misusedf("where is the API? Set EFFERENT_API_URL or --api to the ApiUrl that the deployment prints, or use " +
			"--dev for the efferent dev of this machine")
	}
	base, err := url.Parse(text)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, console.Misusedf("--api %q is not a URL such as https://a1b2c3.execute-api.eu-north-1.amazonaws.com", text)
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	return base, nil
}

// Client prepares to speak to the API.
func (f *APIFlags) Client(ctx context.Context) (*Client, error) {
	base, err := f.base()
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, dev: f.Dev}
	switch {
	case f.Dev:
	case f.Token == "":
		c.signer, err = newSigner(ctx, base)
	case base.Scheme == "http" && !isLoopback(base):
		err = console.Misusedf("the token is not sent over plain http: --api must begin with https://")
	default:
		c.token = f.Token
	}
	return c, err
}

// Get reads one answer of the API.
func (f *APIFlags) Get(ctx context.Context, path string, into any) error {
	c, err := f.Client(ctx)
	if err != nil {
		return err
	}
	return c.Call(ctx, http.MethodGet, path, nil, into)
}

// isLoopback reports whether u is on this machine.
func isLoopback(u *url.URL) bool { return loopback.Is(u.Hostname()) }

// Client speaks to the API: unsigned, signed, or with a token.
type Client struct {
	base   *url.URL
	dev    bool
	signer *signer
	token  string
	// Header is sent with each request.
	Header http.Header
}

// httpClient follows no redirect: a signature is good for one URL only.
var httpClient = &http.Client{Timeout: apiTime, CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}}

// Call makes one request, with in as its body unless that is nil, and reads the
// answer into into; one without a body leaves that as it is. A GET that finds no
// connection is repeated once; nothing else ever is. Errors: *APIError,
// console.ErrInterrupted.
func (c *Client) Call(ctx context.Context, method, path string, in, into any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("the request can't be written: %w", err)
		}
	}
	resp, err := c.send(ctx, method, path, body)
	var network net.Error
	if method == http.MethodGet && errors.As(err, &network) && !network.Timeout() {
		resp, err = c.send(ctx, method, path, body)
	}
	if err != nil {
		return c.unanswered(ctx, method, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return console.ErrInterrupted
	case err != nil:
		return fmt.Errorf("the API's answer broke off: %w", err)
	case resp.StatusCode >= 300:
		return c.refusal(resp, answer)
	case resp.StatusCode == http.StatusNoContent:
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("what answers at %s is not the API of Efferent: %w", c.base, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, c.Header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	case c.signer != nil:
		if err := c.signer.sign(ctx, req, body, time.Now()); err != nil {
			return nil, err
		}
	}
	return httpClient.Do(req)
}

// unanswered explains why there is no answer.
func (c *Client) unanswered(ctx context.Context, method string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return console.ErrInterrupted
	}
	var asked *url.Error
	if !errors.As(err, &asked) {
		return err
	}
	err = asked.Err // without the URL, whose query may tell too much
	var network *net.OpError
	var dns *net.DNSError
	unsent := errors.As(err, &network) && network.Op == "dial"
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("there is no host %s; is the API deployed, and is --api (EFFERENT_API_URL) the ApiUrl that the deployment printed?",
			c.base.Hostname())
	case unsent && c.dev:
		return fmt.Errorf("no efferent dev answers at %s; start one, or say with --api where it is: %w", c.base, err)
	case unsent || method == http.MethodGet:
		return fmt.Errorf("the API does not answer at %s: %w", c.base, err)
	}
	return fmt.Errorf("the API did not answer, and may have done what it was asked for: %w", err)
}

// APIError is an answer of the API that is no success.
type APIError struct {
	Status int
	detail string
}

func (e *APIError) Error() string { return e.detail }

// refusal reads what is wrong: the API's own problem, or that of the gateway
// before it.
func (c *Client) refusal(resp *http.Response, answer []byte) error {
	var p api.Problem
	if json.Unmarshal(answer, &p) == nil && p.Detail != "" {
		return &APIError{resp.StatusCode, p.Detail}
	}
	var gateway struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer, &gateway, json.MatchCaseInsensitiveNames(true)) // it may be anything
	said := fmt.Sprintf("%s answered %d %s", c.base, resp.StatusCode, cmp.Or(gateway.Message, http.StatusText(resp.StatusCode)))
	switch {
	case resp.StatusCode == http.StatusForbidden && strings.Contains(gateway.Message, "expired"):
		said += ": " + signIn
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		said += c.advice()
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode < 400:
		said += "; is this the URL of the API, as the deployment printed it (ApiUrl)?"
	}
	return &APIError{resp.StatusCode, said}
}

// advice is what to do about a request that was not let in.
func (c *Client) advice() string {
	switch {
	case c.token != "":
		return ": it refused the token; has it expired, and is it for this API?"
	case c.signer != nil:
		return ": it refused the request; is execute-api:Invoke allowed for these credentials, and is this machine's clock right?"
	}
	return ": it refused the request, which was not signed; with AWS credentials and without --dev it would be"
}
