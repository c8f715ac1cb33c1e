package secretserver

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/localaws/awsjson"
	"github.com/efferent/efferent/internal/localaws/bodies"
	"github.com/efferent/efferent/internal/localaws/origin"
)

// maxRequest is the longest request body, in bytes: a value with every
// character escaped, and room for the rest.
const maxRequest = 6*maxValue + 64<<10

// NewHandler serves s in Secrets Manager's protocol (AWS JSON 1.1): POST with
// "X-Amz-Target: secretsmanager.<operation>", with any credentials. Put
// sqsserver.LoopbackOnly before it.
func NewHandler(s *Server) http.Handler {
	return origin.Only(&awsjson.Service{
		Prefix:      "secretsmanager.",
		ContentType: "application/x-amz-json-1.1",
		Operations:  operations(s),
		Bodies:      bodies.NewRoom(),
		MaxRequest:  maxRequest,
		Encoding:    encoding,
		Fail:        fail,
		Log:         s.log,
	})
}

func operations(s *Server) map[string]awsjson.Operation {
	all := map[string]awsjson.Operation{
		"CreateSecret": tokened(s.CreateSecret, func(in *secretsmanager.CreateSecretInput) *string { return in.ClientRequestToken }),
		"PutSecretValue": tokened(s.PutSecretValue, func(in *secretsmanager.PutSecretValueInput) *string {
			return in.ClientRequestToken
		}),
		"UpdateSecret":             tokened(s.UpdateSecret, func(in *secretsmanager.UpdateSecretInput) *string { return in.ClientRequestToken }),
		"GetSecretValue":           called(s.GetSecretValue),
		"BatchGetSecretValue":      called(s.BatchGetSecretValue),
		"DescribeSecret":           called(s.DescribeSecret),
		"ListSecrets":              called(s.ListSecrets),
		"ListSecretVersionIds":     called(s.ListSecretVersionIds),
		"UpdateSecretVersionStage": called(s.UpdateSecretVersionStage),
		"DeleteSecret":             called(s.DeleteSecret),
		"RestoreSecret":            called(s.RestoreSecret),
		"TagResource":              called(s.TagResource),
		"UntagResource":            called(s.UntagResource),
		"GetRandomPassword":        called(s.GetRandomPassword),
	}
	for what, names := range map[string][]string{
		"rotation schedules": {"RotateSecret", "CancelRotateSecret"},
		"resource policies":  {"GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy", "ValidateResourcePolicy"},
		"replication":        {"ReplicateSecretToRegions", "RemoveRegionsFromReplication", "StopReplicationToReplica"},
	} {
		for _, name := range names {
			all[name] = awsjson.Decoded(func(context.Context, *struct{}) (*struct{}, error) {
				return nil, unsupported(name + " (" + what + ")")
			})
		}
	}
	return all
}

// tokened is an operation whose requests need a token. The SDKs make one up;
// who doesn't use one must give it ("CreateSecret" in the API reference).
func tokened[In, Out any](run func(context.Context, *In, ...func(*secretsmanager.Options)) (*Out, error),
	token func(*In) *string) awsjson.Operation {
	return awsjson.Decoded(func(ctx context.Context, in *In) (*Out, error) {
		if aws.ToString(token(in)) == "" {
			return nil, invalidRequest("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
		}
		return run(ctx, in)
	})
}

func called[In, Out any](run func(context.Context, *In, ...func(*secretsmanager.Options)) (*Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(ctx context.Context, in *In) (*Out, error) { return run(ctx, in) })
}

// encoding: times are Unix seconds with milliseconds.
var encoding = json.JoinOptions(
	json.OmitZeroStructFields(true),
	json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
		return enc.WriteValue(strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', 3, 64))
	})),
)

// errorBody is an error in the JSON protocol, in this service's spelling.
type errorBody struct {
	Type    string `json:"__type"`
	Message string
}

func fail(_ http.Header, err smithy.APIError) (int, any) {
	name := err.ErrorCode()
	if t := reflect.TypeOf(err).Elem(); strings.HasSuffix(t.PkgPath(), "/secretsmanager/types") {
		name = t.Name()
	}
	return awsjson.Status(err), errorBody{Type: name, Message: err.ErrorMessage()}
}
