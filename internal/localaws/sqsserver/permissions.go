package sqsserver

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// AddPermission is refused: every caller may do everything here.
func (e *Engine) AddPermission(context.Context, *sqs.AddPermissionInput, ...func(*sqs.Options)) (*sqs.AddPermissionOutput, error) {
	return nil, noPermissions("AddPermission")
}

// RemovePermission is refused, as AddPermission.
func (e *Engine) RemovePermission(context.Context, *sqs.RemovePermissionInput, ...func(*sqs.Options)) (*sqs.RemovePermissionOutput, error) {
	return nil, noPermissions("RemovePermission")
}

func noPermissions(operation string) error {
	return unsupported("%s is not supported: there are no permissions here, every caller may do everything.", operation)
}
