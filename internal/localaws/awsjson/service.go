// Package awsjson is the server's side of the AWS JSON protocols, 1.0 and 1.1
// (Smithy, "AWS JSON 1.0 protocol").
package awsjson

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/localaws/bodies"
)

// Service is one AWS service. It serves POST requests that name an operation
// in X-Amz-Target.
type Service struct {
	// Prefix is what X-Amz-Target begins with, its period included.
	Prefix string
	// ContentType is that of requests and answers.
	ContentType string
	Operations  map[string]Operation
	// Bodies is the room for requests.
	Bodies *bodies.Room
	// MaxRequest is the longest request body, in bytes. A longer one is
	// refused before it is read, if it says how long it is.
	MaxRequest int64
	// Encoding is how answers become JSON.
	Encoding json.Options
	// Fail turns an error into an answer. It may set headers.
	Fail func(h http.Header, err smithy.APIError) (status int, body any)
	Log  *slog.Logger
}

// Operation runs one request. decode fills in the struct that in points to,
// and is valid until Operation returns. An error that is no smithy.APIError is
// answered as one of ours.
type Operation = func(r *http.Request, decode func(in any) error) (out any, err error)

// Decoded is an operation whose input is decoded into In. Names are
// case-sensitive, and those that In does not have are passed over, as AWS
// does.
func Decoded[In, Out any](run func(context.Context, *In) (*Out, error)) Operation {
	return func(r *http.Request, decode func(any) error) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		out, err := run(r.Context(), in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the size up to which a buffer is used again, in bytes.
const keepBuffer = 256 << 10

func release(b *bytes.Buffer) {
	if b.Cap() <= keepBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", rand.Text())
	w.Header().Set("Content-Type", s.ContentType)
	out, err := s.run(w, r)
	status := http.StatusOK
	if err != nil {
		status, out = s.Fail(w.Header(), APIError(err))
	}
	b := buffers.Get().(*bytes.Buffer)
	defer release(b)
	if err := json.MarshalWrite(b, out, s.Encoding); err != nil {
		s.Log.Error("an answer could not be encoded", "target", r.Header.Get("X-Amz-Target"), "error", err)
		status = http.StatusInternalServerError
		b.Reset()
	}
	// With its length known, an answer is not sent in chunks.
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // fails when the client has gone
}

func (s *Service) run(w http.ResponseWriter, r *http.Request) (any, error) {
	target := r.Header.Get("X-Amz-Target")
	name, ours := strings.CutPrefix(target, s.Prefix)
	operation := s.Operations[name]
	switch {
	case r.Method != http.MethodPost:
		return nil, malformed(errors.New("the method must be POST"))
	case !ours || operation == nil:
		return nil, apiFault("UnsupportedOperation", "The operation %.200q is not supported.", target)
	}
	b, err := s.Bodies.Read(w, r, s.MaxRequest)
	if err != nil {
		return nil, cmp.Or(bodies.Fault(err, s.MaxRequest), malformed(err))
	}
	defer b.Release()
	return operation(r, func(in any) error {
		if err := json.Unmarshal(b.Bytes, in); err != nil {
			return malformed(err)
		}
		return nil
	})
}

func malformed(err error) error {
	return apiFault("SerializationException", "The request is not what this operation takes: %v", err)
}

func apiFault(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// APIError is err, or what stands for one that the protocol does not know.
func APIError(err error) smithy.APIError {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e
	}
	return &smithy.GenericAPIError{Code: "ServiceUnavailable", Message: err.Error(), Fault: smithy.FaultServer}
}

// Status is the HTTP status of an error that the service's model has not.
func Status(err smithy.APIError) int {
	switch {
	case err.ErrorCode() == "RequestEntityTooLarge":
		return http.StatusRequestEntityTooLarge
	case err.ErrorCode() == "RequestTimeout":
		return http.StatusRequestTimeout
	case err.ErrorCode() == "ServiceUnavailable":
		return http.StatusServiceUnavailable
	case err.ErrorFault() == smithy.FaultServer:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
