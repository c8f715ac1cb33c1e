// Package awsquery is the server's side of the AWS query protocol, in the
// form that SQS gives it (Smithy, "AWS query protocol", with all lists and
// maps flattened): a form with an Action goes in, XML comes out.
package awsquery

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/bodies"
)

// Service is one AWS service. It serves GET and POST requests that name an
// operation in the parameter Action.
type Service struct {
	// Namespace is the XML namespace of answers.
	Namespace  string
	Operations map[string]Operation
	// PathParameter, unless it is empty, is the parameter that a path other
	// than / gives, where the request does not.
	PathParameter string
	// Bodies is the room for requests.
	Bodies *bodies.Room
	// MaxRequest is the longest request body, in bytes. A longer one is
	// refused before it is read, if it says how long it is.
	MaxRequest int64
	// Fail turns an error into what is answered.
	Fail func(error) (status int, api smithy.APIError)
}

// Operation runs one request. decode fills in the struct that in points to:
// names are case-sensitive, and those that it does not have are passed over.
type Operation = func(r *http.Request, decode func(in any) error) (out any, err error)

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header().Set("x-amzn-RequestId", id)
	w.Header().Set("Content-Type", "text/xml")
	if r.Method == http.MethodGet && r.URL.Query().Get("Action") == "" {
		// LocalStack's test_get_without_query_returns_unknown_operation, recorded on AWS.
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<UnknownOperationException/>\n")
		return
	}
	name, out, err := s.run(w, r)
	status, api := http.StatusOK, smithy.APIError(nil)
	if err != nil {
		status, api = s.Fail(err)
	}
	var body []byte
	if wantsJSON(r) {
		w.Header().Set("Content-Type", "application/json")
		body = asJSON(name, out, api, id)
	} else {
		body = s.asXML(name, out, api, id)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails when the client has gone
}

func (s *Service) asXML(operation string, out any, err smithy.APIError, requestID string) []byte {
	a := &answer{}
	if err == nil {
		a.success(s.Namespace, operation, out, requestID)
	} else {
		a.failure(s.Namespace, err, requestID)
	}
	return a.Bytes()
}

func (s *Service) run(w http.ResponseWriter, r *http.Request) (name string, out any, err error) {
	body, err := s.body(w, r)
	if err != nil {
		return "", nil, err
	}
	form, err := parse(r.URL.RawQuery, body)
	if err != nil {
		return "", nil, err
	}
	if path := strings.TrimSuffix(r.URL.Path, "/"); path != "" && s.PathParameter != "" && form.text(s.PathParameter) == "" {
		form.put(s.PathParameter, path)
	}
	name = form.text("Action")
	operation := s.Operations[name]
	switch {
	case name == "":
		return "", nil, apiFault("MissingAction", "The request must contain the parameter Action.")
	case operation == nil:
		return "", nil, apiFault("InvalidAction", "The action %.200s is not valid for this endpoint.", name)
	}
	out, err = operation(r, func(in any) error { return form.decode(in) })
	return name, out, err
}

func (s *Service) body(w http.ResponseWriter, r *http.Request) (string, error) {
	switch {
	case r.Method == http.MethodGet:
		return "", nil
	case r.Method != http.MethodPost:
		return "", apiFault("InvalidHttpRequest", "The method must be GET or POST.")
	}
	b, err := s.Bodies.Read(w, r, s.MaxRequest)
	if err != nil {
		return "", cmp.Or(bodies.Fault(err, s.MaxRequest), malformed(err))
	}
	defer b.Release()
	return string(b.Bytes), nil
}

func malformed(err error) error {
	return apiFault("MalformedQueryString", "The request's parameters could not be read: %v", err)
}

func missing(name string) error {
	return apiFault("MissingParameter", "The request must contain the parameter %.200s.", name)
}

func invalid(name, reason string) error {
	return apiFault("InvalidParameterValue", "The value of the parameter %.200s is invalid. Reason: %s", name, reason)
}

func apiFault(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}
