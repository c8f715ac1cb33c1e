package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/rotation"
)

// VersionsAPI is what reading and changing the versions of a secret takes.
type VersionsAPI interface {
	API
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// Versions is a rotation.Store in Secrets Manager, whose staging labels are the
// labels.
type Versions struct{ API VersionsAPI }

// ReadVersion is as rotation.Versions has it.
func (s *Versions) ReadVersion(ctx context.Context, secret, label string) (rotation.Version, error) {
	out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret, VersionStage: &label})
	if err != nil {
		return rotation.Version{}, absent(err)
	}
	if out.SecretString == nil {
		return rotation.Version{}, errors.New("it is binary, and the secrets of Efferent are texts")
	}
	return rotation.Version{ID: *out.VersionId, Text: *out.SecretString}, nil
}

// absent is for calls that only fail so where there is nothing.
func absent(err error) error {
	if none := new(types.ResourceNotFoundException); errors.As(err, &none) {
		return fmt.Errorf("%w: %w", rotation.ErrNone, err)
	}
	return err
}

// AddVersion is as rotation.Versions has it ("PutSecretValue" in the API
// reference: it is idempotent by the token, which becomes the version's ID).
func (s *Versions) AddVersion(ctx context.Context, secret string, v rotation.Version, labels ...string) error {
	_, err := s.API.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &secret, SecretString: &v.Text, ClientRequestToken: &v.ID, VersionStages: labels,
	})
	return absent(occupied(err))
}

// CreateSecret is as rotation.Store has it.
func (s *Versions) CreateSecret(ctx context.Context, secret string, v rotation.Version) error {
	if strings.HasPrefix(secret, "arn:") {
		return rotation.ErrNone
	}
	_, err := s.API.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &secret, SecretString: &v.Text, ClientRequestToken: &v.ID})
	return occupied(err)
}

func occupied(err error) error {
	if exists := new(types.ResourceExistsException); errors.As(err, &exists) {
		return fmt.Errorf("%w: %w", rotation.ErrFaster, err)
	}
	return err
}

// MoveLabel is as rotation.Versions has it: Secrets Manager refuses to take a label
// from a version that has not got it ("UpdateSecretVersionStage" in the API
// reference).
func (s *Versions) MoveLabel(ctx context.Context, secret, label, from, to string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &secret, VersionStage: &label}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	_, err := s.API.UpdateSecretVersionStage(ctx, in)
	var elsewhere *types.InvalidParameterException
	var gone *types.ResourceNotFoundException // a version that is, or the secret
	if errors.As(err, &elsewhere) || errors.As(err, &gone) {
		return fmt.Errorf("%w: %w", rotation.ErrFaster, err)
	}
	return err
}
