package sqsserver

import (
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// Codes and statuses are those of the model, in both protocols.
func TestQueryErrorsAreTheModels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		shape *smithy.Schema
	}{
		{queueDoesNotExist(), schemas.QueueDoesNotExist}, {queueNameExists("x"), schemas.QueueNameExists},
		{receiptHandleIsInvalid("x"), schemas.ReceiptHandleIsInvalid}, {messageNotInflight(), schemas.MessageNotInflight},
		{overLimit(1), schemas.OverLimit}, {unsupported("x"), schemas.UnsupportedOperation},
		{emptyBatch(), schemas.EmptyBatchRequest}, {tooManyEntries(11), schemas.TooManyEntriesInBatchRequest},
		{invalidBatchEntryID(), schemas.InvalidBatchEntryId}, {idsNotDistinct("x"), schemas.BatchEntryIdsNotDistinct},
		{batchTooLong(1), schemas.BatchRequestTooLong}, {resourceNotFound("x"), schemas.ResourceNotFoundException},
		{purgeInProgress("x"), schemas.PurgeQueueInProgress},
		// These have no code of their own in the model: it is the shape's name.
		{invalidAttributeName("x"), schemas.InvalidAttributeName}, {invalidAttributeValue("x", "y"), schemas.InvalidAttributeValue},
		{invalidMessageContents(), schemas.InvalidMessageContents},
	} {
		code, status := c.shape.ID().Name, http.StatusBadRequest
		if model, ok := smithy.SchemaTrait[*traits.AWSQueryError](c.shape); ok {
			code, status = model.ErrorCode, model.StatusCode
		}
		gotStatus, got := queryFailure(c.err)
		if got.ErrorCode() != code || gotStatus != status || got.ErrorFault() != smithy.FaultClient {
			t.Errorf("%s: %s, status %d, want %s, %d", c.shape.ID().Name, got.ErrorCode(), gotStatus, code, status)
		}
		h := http.Header{}
		model, ok := smithy.SchemaTrait[*traits.HTTPError](c.shape)
		if got, _ := fail(h, got); ok && got != model.Code || !ok && got != http.StatusBadRequest {
			t.Errorf("%s in JSON: status %d, want %v", c.shape.ID().Name, got, model)
		}
		if name := reflect.TypeOf(got).Elem().Name(); name != c.shape.ID().Name {
			t.Errorf("%s is a %s", c.shape.ID().Name, name)
		}
	}
	if status, e := queryFailure(errors.New("x")); status != http.StatusServiceUnavailable || e.ErrorFault() != smithy.FaultServer {
		t.Errorf("another error: %d, %v", status, e)
	}
}
