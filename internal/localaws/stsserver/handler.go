// Package stsserver is the one operation of AWS STS that local tools ask for:
// GetCallerIdentity, by which the AWS CLI, CDK and Terraform learn the account.
package stsserver

import (
	"cmp"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/awsjson"
	"github.com/efferent/efferent/internal/localaws/awsquery"
	"github.com/efferent/efferent/internal/localaws/bodies"
	"github.com/efferent/efferent/internal/localaws/credential"
	"github.com/efferent/efferent/internal/localaws/origin"
)

// maxRequest is the longest request body, in bytes.
const maxRequest = 64 << 10

// NewHandler serves STS in the query protocol, which is the only one that it
// has (API version 2011-06-15). Whoever has no account for an access key is of
// the given one. Put sqsserver.LoopbackOnly before it.
func NewHandler(account string) http.Handler {
	return origin.Only(&awsquery.Service{
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: map[string]awsquery.Operation{
			"GetCallerIdentity": func(r *http.Request, _ func(any) error) (any, error) {
				return identity(cmp.Or(credential.Of(r).Account(), account)), nil
			},
		},
		Bodies:     bodies.NewRoom(),
		MaxRequest: maxRequest,
		Fail: func(err error) (int, smithy.APIError) {
			api := awsjson.APIError(err)
			return awsjson.Status(api), api
		},
	})
}

// identity is an account's root user, who may do everything: "GetCallerIdentity"
// in the API reference.
func identity(account string) *sts.GetCallerIdentityOutput {
	return &sts.GetCallerIdentityOutput{Account: &account, UserId: &account, Arn: aws.String("arn:aws:iam::" + account + ":root")}
}
