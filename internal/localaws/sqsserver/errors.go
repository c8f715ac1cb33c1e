package sqsserver

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/awsjson"
)

// ErrClosed is what a closed engine answers.
var ErrClosed = errors.New("the queue engine is closed")

// Errors are the SDK's own types, with the codes that a client of the SDK
// sees: the query protocol's, as AWS sends them in x-amzn-query-error.

func queueDoesNotExist() error {
	return &types.QueueDoesNotExist{
		Message:           aws.String("The specified queue does not exist."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.NonExistentQueue"),
	}
}

func queueNameExists(differs string) error {
	return &types.QueueNameExists{
		Message:           aws.String("A queue already exists with the same name and a different value for " + differs),
		ErrorCodeOverride: aws.String("QueueAlreadyExists"),
	}
}

func purgeInProgress(queue string) error {
	return &types.PurgeQueueInProgress{
		Message:           aws.String("Only one PurgeQueue operation on " + queue + " is allowed every 60 seconds."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.PurgeQueueInProgress"),
	}
}

func receiptHandleIsInvalid(handle string) error {
	return &types.ReceiptHandleIsInvalid{
		Message: aws.String(fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", shorten(handle))),
	}
}

func messageNotInflight() error {
	return &types.MessageNotInflight{
		Message:           aws.String("The specified message isn't in flight."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.MessageNotInflight"),
	}
}

func overLimit(limit int) error {
	return &types.OverLimit{Message: aws.String(fmt.Sprintf(
		"The queue has %d messages in flight, which is the limit. Delete messages after they are processed.", limit))}
}

func unsupported(format string, args ...any) error {
	return &types.UnsupportedOperation{
		Message:           aws.String(fmt.Sprintf(format, args...)),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.UnsupportedOperation"),
	}
}

func emptyBatch() error {
	return &types.EmptyBatchRequest{
		Message:           aws.String("There should be at least one entry in the request."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.EmptyBatchRequest"),
	}
}

func tooManyEntries(n int) error {
	return &types.TooManyEntriesInBatchRequest{
		Message:           aws.String(fmt.Sprintf("Maximum number of entries per request are 10. You have sent %d.", n)),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
	}
}

func invalidBatchEntryID() error {
	return &types.InvalidBatchEntryId{
		Message: aws.String("A batch entry id can only contain alphanumeric characters, hyphens and underscores. " +
			"It can be at most 80 letters long."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.InvalidBatchEntryId"),
	}
}

func idsNotDistinct(id string) error {
	return &types.BatchEntryIdsNotDistinct{
		Message:           aws.String("Id " + id + " repeated."),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
	}
}

func batchTooLong(size int) error {
	return &types.BatchRequestTooLong{
		Message: aws.String(fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.",
			maxMessageSize, size)),
		ErrorCodeOverride: aws.String("AWS.SimpleQueueService.BatchRequestTooLong"),
	}
}

func resourceNotFound(message string) error {
	return &types.ResourceNotFoundException{Message: aws.String(message)}
}

func noSuchSource() error {
	return resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
}

func invalidAttributeName(name string) error {
	return &types.InvalidAttributeName{Message: aws.String("Unknown Attribute " + shorten(name) + ".")}
}

func invalidAttributeValue(name, reason string) error {
	return &types.InvalidAttributeValue{
		Message: aws.String("Invalid value for the parameter " + name + ". Reason: " + reason)}
}

func invalidMessageContents() error {
	return &types.InvalidMessageContents{Message: aws.String(validUnicode)}
}

const validUnicode = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | " +
	"#x10000 to #x10FFFF"

func missingParameter(name string) error {
	return client("MissingParameter", "The request must contain the parameter %s.", name)
}

func invalidParameter(format string, args ...any) error {
	return client("InvalidParameterValue", format, args...)
}

func invalidValue(name string, value any, reason string) error {
	return invalidParameter("Value %s for parameter %s is invalid. Reason: %s", shorten(fmt.Sprint(value)), name, reason)
}

func client(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// modelStatus is the HTTP status of the errors whose status is not 400: as the
// model has it (awsQueryError), or "Common Errors" in the API reference. Both
// protocols answer so (LocalStack's snapshot of test_successive_purge_calls_fail,
// recorded on AWS), though the pages of the operations say 400.
var modelStatus = map[string]int{
	"InvalidAddress":    http.StatusNotFound,
	"InvalidSecurity":   http.StatusForbidden,
	"KMS.OptInRequired": http.StatusForbidden,
	"OverLimit":         http.StatusForbidden,
	"AWS.SimpleQueueService.PurgeQueueInProgress": http.StatusForbidden,
	"ReceiptHandleIsInvalid":                      http.StatusNotFound,
	"RequestThrottled":                            http.StatusForbidden,
	"ResourceNotFoundException":                   http.StatusNotFound,
	"MalformedQueryString":                        http.StatusNotFound,
}

func status(err smithy.APIError) int {
	if s := modelStatus[err.ErrorCode()]; s != 0 {
		return s
	}
	return awsjson.Status(err)
}

// failed is a request that failed for a reason of ours. It unwraps to it.
type failed struct {
	smithy.GenericAPIError
	cause error
}

func (f *failed) Unwrap() error { return f.cause }

// internalFailure says that what was asked for did not happen, as the store
// could not keep it.
func internalFailure(what string, cause error) error {
	return &failed{
		GenericAPIError: smithy.GenericAPIError{
			Code:    "InternalFailure",
			Message: fmt.Sprintf("%s: the data file could not be read or written: %v", what, cause),
			Fault:   smithy.FaultServer,
		},
		cause: cause,
	}
}

// batchFailure is err as the outcome of one entry of a batch.
func batchFailure(id *string, err error) types.BatchResultErrorEntry {
	var e smithy.APIError
	if !errors.As(err, &e) {
		e = &smithy.GenericAPIError{Code: "InternalFailure", Message: err.Error(), Fault: smithy.FaultServer}
	}
	return types.BatchResultErrorEntry{
		Id: id, Code: aws.String(e.ErrorCode()), Message: aws.String(e.ErrorMessage()),
		SenderFault: e.ErrorFault() == smithy.FaultClient,
	}
}

// shorten keeps what others sent from filling our answers and logs.
func shorten(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
