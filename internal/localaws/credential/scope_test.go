package credential_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/efferent/efferent/internal/localaws/credential"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target, header string
		want           credential.Scope
		account        string
	}{
		"a header": {"/", "AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
			credential.Scope{AccessKey: "AKID", Region: "eu-west-1", Service: "sqs"}, ""},
		"an account for a key": {"/", "AWS4-HMAC-SHA256 Credential=123456789012/20261126/eu-west-1/sts/aws4_request,SignedHeaders=host",
			credential.Scope{AccessKey: "123456789012", Region: "eu-west-1", Service: "sts"}, "123456789012"},
		"a presigned URL": {"/?Action=X&X-Amz-Credential=AKID%2F20261126%2Fus-west-2%2Fsts%2Faws4_request", "",
			credential.Scope{AccessKey: "AKID", Region: "us-west-2", Service: "sts"}, ""},
		"SigV4a": {"/", "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261126/sqs/aws4_request, SignedHeaders=host",
			credential.Scope{AccessKey: "AKID", Service: "sqs"}, ""},
		"none":                 {"/?a=b", "", credential.Scope{}, ""},
		"a token":              {"/", "Bearer x", credential.Scope{}, ""},
		"a region that is odd": {"/", "AWS4-HMAC-SHA256 Credential=AKID/20261126/a:b/sqs/aws4_request", credential.Scope{}, ""},
		"cut off":              {"/", "AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-west-1", credential.Scope{}, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, c.target, nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		got := credential.Of(r)
		if got != c.want || got.Account() != c.account {
			t.Errorf("%s: %+v, account %q", name, got, got.Account())
		}
	}
	for id, want := range map[string]bool{
		"000000000000": true, "12345678901": false, "1234567890123": false, "12345678901a": false, "": false,
	} {
		if credential.IsAccount(id) != want {
			t.Errorf("%q: want %v", id, want)
		}
	}
}
