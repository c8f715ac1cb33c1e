package awssqs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/deadletter"
)

// tooLarge: SQS refuses a message of over 1 MiB, its attributes included, by a
// code that it has for other things too.
func tooLarge(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && strings.Contains(refused.ErrorMessage(), "must be shorter than")
}

// moveError tells what a refused request about move tasks means. Endpoints
// differ in the codes for a second task; SQS's text they share.
func moveError(err error) error {
	var refused smithy.APIError
	var missing *types.ResourceNotFoundException
	switch {
	case !errors.As(err, &refused):
		return err
	case strings.Contains(refused.ErrorMessage(), "already a task running"):
		return fmt.Errorf("%w: %w", deadletter.ErrMoving, err)
	case errors.As(err, &missing), strings.Contains(refused.ErrorMessage(), "active tasks can be cancelled"):
		return fmt.Errorf("%w: %w", deadletter.ErrMoveEnded, err)
	}
	switch refused.ErrorCode() {
	case "InvalidAction", "UnknownOperationException", "NotImplemented", "InternalFailure.NotImplemented":
		return fmt.Errorf("%w: %w", deadletter.ErrMovesUnsupported, err)
	}
	return err
}
