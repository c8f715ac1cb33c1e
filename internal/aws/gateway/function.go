package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Function is what a Lambda function runs behind an HTTP API of API Gateway, for what
// answers HTTP requests.
func Function(h http.Handler) lambda.Handler {
	return asSent{algnhsa.New(h, &algnhsa.Options{RequestType: algnhsa.RequestTypeAPIGatewayV2})}
}

// asSent gives on an event whose path says what API Gateway saw. That has decoded the
// path once, in rawPath too, and the next decodes it again: what was encoded twice would
// be another path than the one that was let in.
type asSent struct{ next lambda.Handler }

func (a asSent) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	event, err := encodedAgain(event)
	if err != nil {
		return nil, err
	}
	return a.next.Invoke(ctx, event)
}

// encodedAgain is an event with its path encoded, where that is another. An @ that comes
// encoded is of a gateway that decodes nothing.
func encodedAgain(event []byte) ([]byte, error) {
	var seen struct {
		RawPath string `json:"rawPath"`
	}
	if err := json.Unmarshal(event, &seen, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("the event of API Gateway can't be read: %w", err)
	}
	decoded := url.URL{Path: strings.ReplaceAll(seen.RawPath, "%40", "@")}
	encoded := decoded.EscapedPath()
	if encoded == seen.RawPath {
		return event, nil
	}
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(event, &fields, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("the event of API Gateway can't be read: %w", err)
	}
	path, err := json.Marshal(encoded)
	if err != nil {
		return nil, err
	}
	fields["rawPath"] = path
	return json.Marshal(fields, jsontext.AllowInvalidUTF8(true))
}
