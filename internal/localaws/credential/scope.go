// Package credential reads what a signed request says of its signer. No
// signature is checked: whoever reaches a local endpoint may say what it likes.
package credential

import (
	"net/http"
	"net/url"
	"strings"
)

// Scope is the credential scope of a request (AWS General Reference, "Elements
// of an AWS API request signature"). It is empty where there is none.
type Scope struct{ AccessKey, Region, Service string }

// Of reads the Authorization header, or the query of a presigned URL.
func Of(r *http.Request) Scope {
	if values := r.Header["Authorization"]; len(values) > 0 {
		_, credential, _ := strings.Cut(values[0], "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
		return parse(strings.TrimSpace(credential))
	}
	if !strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		return Scope{}
	}
	query, _ := url.ParseQuery(r.URL.RawQuery)
	return parse(query.Get("X-Amz-Credential"))
}

// parse reads access-key/date/region/service/aws4_request. SigV4a has no
// region.
func parse(credential string) (s Scope) {
	key, rest, _ := strings.Cut(credential, "/")
	_, rest, _ = strings.Cut(rest, "/")
	first, rest, _ := strings.Cut(rest, "/")
	second, end, _ := strings.Cut(rest, "/")
	switch {
	case end == "aws4_request" && isRegion(first):
		return Scope{key, first, second}
	case second == "aws4_request" && end == "":
		return Scope{AccessKey: key, Service: first}
	}
	return Scope{}
}

// Account is the account that the access key names: a local client that wants
// one has its 12 digits for a key, as LocalStack takes it. It is "" otherwise.
func (s Scope) Account() string {
	if IsAccount(s.AccessKey) {
		return s.AccessKey
	}
	return ""
}

// IsAccount reports whether id has the 12 digits of an account.
func IsAccount(id string) bool {
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return len(id) == 12
}

func isRegion(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != "" && len(name) <= 32
}
