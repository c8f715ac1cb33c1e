package sqsserver

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/awsjson"
	"github.com/efferent/efferent/internal/localaws/bodies"
	"github.com/efferent/efferent/internal/localaws/origin"
)

// maxRequest is the longest request body, in bytes: the largest batch with
// every character of it escaped (\u0009), and room for the rest.
const maxRequest = 6*maxMessageSize + 256<<10

// NewHandler serves e in both of SQS's protocols, at any path and with any
// credentials, which say the region and account that a request is for: JSON (AWS JSON 1.0) where there is an X-Amz-Target
// ("AmazonSQS.<operation>"), else the older query protocol
// ("Action=<operation>"). Put LoopbackOnly before it.
func NewHandler(e *Engine) http.Handler {
	operations, room := operations(e), bodies.NewRoom()
	query := newQuery(operations, room)
	service := &awsjson.Service{
		Prefix:      "AmazonSQS.",
		ContentType: "application/x-amz-json-1.0",
		Operations:  operations,
		Bodies:      room,
		MaxRequest:  maxRequest,
		Encoding:    encoding,
		Fail:        fail,
		Log:         e.log,
	}
	return origin.Only(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = e.of(r)
		if r.Header.Get("X-Amz-Target") == "" {
			query.ServeHTTP(w, r)
			return
		}
		service.ServeHTTP(w, r)
	}))
}

// errorBody is an error in the JSON protocol.
type errorBody struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func fail(h http.Header, err smithy.APIError) (int, any) {
	if err.ErrorCode() == "UnsupportedOperation" { // of the protocol, which does not know SQS's
		errors.As(unsupported("%s", err.ErrorMessage()), &err)
	}
	fault := "Sender"
	if err.ErrorFault() == smithy.FaultServer {
		fault = "Receiver"
	}
	// SDKs that came from the query protocol look for its code here.
	h.Set("x-amzn-query-error", err.ErrorCode()+";"+fault)
	return status(err), errorBody{Type: shapeName(err), Message: err.ErrorMessage()}
}

// genericShapes are the shapes of errors that the SQS model has not, where
// they differ from the code.
var genericShapes = map[string]string{
	"InvalidParameterValue": "InvalidParameterValueException",
	"MissingParameter":      "MissingRequiredParameterException",
}

// shapeName is the error's name in the JSON protocol: for a modelled one,
// that of its type.
func shapeName(err smithy.APIError) string {
	t := reflect.TypeOf(err).Elem()
	if strings.HasSuffix(t.PkgPath(), "/sqs/types") {
		return "com.amazonaws.sqs#" + t.Name()
	}
	name := err.ErrorCode()
	if shape := genericShapes[name]; shape != "" {
		name = shape
	}
	return "com.amazon.coral.service#" + name
}

// called is an operation of the engine's own.
func called[In, Out any](run func(context.Context, *In, ...func(*sqs.Options)) (*Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(ctx context.Context, in *In) (*Out, error) { return run(ctx, in) })
}

// atHost makes the queue URLs in an operation's answer ones that its caller
// can reach.
func atHost(run awsjson.Operation) awsjson.Operation {
	return func(r *http.Request, decode func(any) error) (any, error) {
		out, err := run(r, decode)
		switch out := out.(type) {
		case *sqs.CreateQueueOutput:
			*out.QueueUrl = urlAt(*out.QueueUrl, r.Host)
		case *sqs.GetQueueUrlOutput:
			*out.QueueUrl = urlAt(*out.QueueUrl, r.Host)
		case *sqs.ListQueuesOutput:
			urlsAt(out.QueueUrls, r.Host)
		case *sqs.ListDeadLetterSourceQueuesOutput:
			urlsAt(out.QueueUrls, r.Host)
		}
		return out, err
	}
}

func urlsAt(urls []string, host string) {
	for i, url := range urls {
		urls[i] = urlAt(url, host)
	}
}

func urlAt(url, host string) string {
	return "http://" + host + "/" + strings.TrimPrefix(url, urlBase)
}
