package ownqueues

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
)

// isMissing: the queue is not there, or, as SQS has it, may not be looked at. Of
// the codes the second is the older protocol's.
func isMissing(err error) bool {
	var missing *types.QueueDoesNotExist
	var answered smithy.APIError
	return errors.As(err, &missing) ||
		errors.As(err, &answered) && strings.HasSuffix(answered.ErrorCode(), "NonExistentQueue")
}

// allowFrom is the redrive allow policy of a dead-letter queue of one queue.
func allowFrom(source string) string {
	return fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, source)
}

// TLSOnly is the policy of a queue that takes nothing but TLS, as the CDK writes it.
func TLSOnly(arn string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sqs:*",`+
		`"Resource":%q,"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`, arn)
}

// sameAttribute compares two values of an attribute by what they mean.
func sameAttribute(name, a, b string) bool {
	switch name {
	case RedrivePolicy:
		x, errX := awssqs.ParseRedrive(a)
		y, errY := awssqs.ParseRedrive(b)
		return errX == nil && errY == nil && x == y
	case RedriveAllow:
		return sameAllow(a, b)
	}
	return strings.EqualFold(a, b)
}

// allowance is a redrive allow policy: whose dead letters a queue takes.
type allowance struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

func sameAllow(a, b string) bool {
	var p, q allowance
	if json.Unmarshal([]byte(a), &p) != nil || json.Unmarshal([]byte(b), &q) != nil {
		return false
	}
	slices.Sort(p.Sources)
	slices.Sort(q.Sources)
	return p.Permission == q.Permission && slices.Equal(p.Sources, q.Sources)
}

// NameInARN is the name of the queue of an ARN.
func NameInARN(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
