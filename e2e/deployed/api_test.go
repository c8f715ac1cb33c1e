//go:build e2e

package deployed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// api is the deployed HTTP API, for one caller.
type api struct {
	config   aws.Config
	url      *url.URL
	endpoint string // where an emulator answers for the URL's host; "" for the URL itself
	token    string // in place of a signature
}

func newAPI(t *testing.T, target *Target, config aws.Config, output string) *api {
	t.Helper()
	u, err := url.Parse(output)
	if err != nil || u.Host == "" {
		t.Fatalf("the output ApiUrl is %q", output)
	}
	return &api{config: config, url: u, endpoint: target.Endpoint}
}

// as is the API for another caller; nil signs nothing.
func (a *api) as(caller aws.CredentialsProvider) *api {
	other := *a
	other.config = a.config.Copy()
	other.config.Credentials = caller
	return &other
}

// callback is a request of Twilio's, whom the API lets in without a signature of AWS's.
func (a *api) callback(ctx context.Context, path, signature, form string) (int, error) {
	req, err := a.request(ctx, http.MethodPost, path, form)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", signature)
	status, _, err := a.do(req)
	return status, err
}

func (a *api) request(ctx context.Context, method, path, body string) (*http.Request, error) {
	base := a.url.String()
	if a.endpoint != "" {
		base = a.endpoint
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err == nil {
		req.Host = a.url.Host
	}
	return req, err
}

func (a *api) do(req *http.Request) (status int, answer []byte, err error) {
	client := http.DefaultClient
	if c, ok := a.config.HTTPClient.(*http.Client); ok {
		client = c
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (a *api) call(ctx context.Context, method, path, body string) (status int, answer []byte, err error) {
	req, err := a.request(ctx, method, path, body)
	if err != nil {
		return 0, nil, err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.config.Credentials != nil {
		key, err := a.config.Credentials.Retrieve(ctx)
		if err != nil {
			return 0, nil, err
		}
		sum := sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), "execute-api", a.config.Region, time.Now()); err != nil {
			return 0, nil, err
		}
	}
	return a.do(req)
}
