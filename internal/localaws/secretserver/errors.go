package secretserver

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func exists(format string, args ...any) error {
	return &types.ResourceExistsException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidRequest(format string, args ...any) error {
	return &types.InvalidRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func limitExceeded(format string, args ...any) error {
	return &types.LimitExceededException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidNextToken() error {
	return &types.InvalidNextTokenException{Message: aws.String("The NextToken value is not valid.")}
}

// invalidValue is what AWS answers to a value outside the constraints of its
// API model ("Common Errors" in the API reference).
func invalidValue(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Fault: smithy.FaultClient, Message: fmt.Sprintf(format, args...)}
}

func invalidName() error {
	return invalidValue("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
}

// checkLength and checkNumber hold a member of a request to the API model's
// minimum and maximum. Their errors don't show the value.

func checkLength(member string, n, least, most int) error {
	return checkRange(member, "length", n, least, most)
}

func checkNumber(member string, n, least, most int) error {
	return checkRange(member, "value", n, least, most)
}

func checkRange(member, what string, n, least, most int) error {
	rule, bound := "greater", least
	switch {
	case n > most:
		rule, bound = "less", most
	case n >= least:
		return nil
	}
	return invalidValue("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have %s %s than or equal to %d",
		member, what, rule, bound)
}

func unsupported(what string) error {
	return &smithy.GenericAPIError{Code: "UnsupportedOperation", Fault: smithy.FaultClient,
		Message: what + " is not supported."}
}

// failure is an InternalServiceError that unwraps to its cause.
type failure struct {
	types.InternalServiceError
	cause error
}

func (f *failure) Unwrap() []error { return []error{&f.InternalServiceError, f.cause} }

func internalError(cause error) error {
	return &failure{types.InternalServiceError{Message: aws.String(
		fmt.Sprintf("The secret was not changed: the data file could not be written: %v", cause))}, cause}
}
