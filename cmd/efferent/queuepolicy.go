package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"
)

// isMissing: the queue is not there, or, as SQS has it, may not be looked at. Of
// the codes the second is the older protocol's.
func isMissing(err error) bool {
	var missing *types.QueueDoesNotExist
	var answered smithy.APIError
	return errors.As(err, &missing) ||
		errors.As(err, &answered) && strings.HasSuffix(answered.ErrorCode(), "NonExistentQueue")
}

// redrive is a redrive policy: where SQS moves a message that was received so
// often ("SetQueueAttributes" in the API reference).
type redrive struct {
	Target   string
	Receives int
}

func (r redrive) String() string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, r.Target, r.Receives)
}

// parseRedrive reads what an endpoint gives back. The count is a number, in
// quotes or not.
func parseRedrive(text string) (redrive, error) {
	var p struct {
		Target   string `json:"deadLetterTargetArn"`
		Receives any    `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return redrive{}, fmt.Errorf("redrive policy %q: %w", text, err)
	}
	n, err := strconv.Atoi(fmt.Sprint(p.Receives))
	if err != nil || p.Target == "" {
		return redrive{}, fmt.Errorf("redrive policy %q: it lacks deadLetterTargetArn, or maxReceiveCount as a number", text)
	}
	return redrive{p.Target, n}, nil
}

// allowFrom is the redrive allow policy of a dead-letter queue of one queue.
func allowFrom(source string) string {
	return fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, source)
}

// tlsOnly is the policy of a queue that takes nothing but TLS, as the CDK writes it.
func tlsOnly(arn string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sqs:*",`+
		`"Resource":%q,"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`, arn)
}

// sameAttribute compares two values of an attribute by what they mean.
func sameAttribute(name, a, b string) bool {
	switch name {
	case redrivePolicy:
		x, errX := parseRedrive(a)
		y, errY := parseRedrive(b)
		return errX == nil && errY == nil && x == y
	case redriveAllow:
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

// nameInARN is the name of the queue of an ARN.
func nameInARN(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
