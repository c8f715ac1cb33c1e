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
