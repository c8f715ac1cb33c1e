package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// PutAPI is what keeping a secret takes.
type PutAPI interface {
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.PutSecretValueOutput, error)
}

// Put keeps a secret that is nobody else's, and may be there already. id is a
// name; or an ARN, where it is.
func Put(ctx context.Context, client PutAPI, id, value string) error {
	_, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: &value})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) && !strings.HasPrefix(id, "arn:") {
		_, err = client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: &value})
	}
	if err != nil {
		return fmt.Errorf("keep the secret %s: %w", id, err)
	}
	return nil
}
