package awssecrets

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// LabelsAPI is what telling where the labels of a secret are takes.
type LabelsAPI interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.DescribeSecretOutput, error)
}

// Labels tells where the labels of secrets are.
type Labels struct{ API LabelsAPI }

// VersionLabels gives the labels of each version that has any, by its ID. One that
// has no value yet is among them, while Secrets Manager has a secret rotated.
// There is rotation.ErrNone.
func (s *Labels) VersionLabels(ctx context.Context, secret string) (map[string][]string, error) {
	out, err := s.API.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return nil, absent(err)
	}
	return out.VersionIdsToStages, nil
}
