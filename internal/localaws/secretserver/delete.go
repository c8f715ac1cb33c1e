package secretserver

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// defaultWindow is the recovery window in days ("DeleteSecret" in the API
// reference).
const defaultWindow = 30

// DeleteSecret schedules a secret's deletion. Until its recovery window ends
// it can be restored, but not read or changed. With
// ForceDeleteWithoutRecovery it is gone at once, and one that does not exist
// is no error.
func (s *Server) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.DeleteSecretOutput, error) {
	days, force := int64(defaultWindow), aws.ToBool(in.ForceDeleteWithoutRecovery)
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
		switch {
		case force:
			return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
		case days < 7 || days > 30:
			return nil, invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := s.find(in.SecretId)
	switch {
	case force:
		return s.forceDelete(ctx, in.SecretId, secret, err)
	case err != nil:
		return nil, err
	case secret.scheduled():
		return nil, invalidRequest("You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	secret = secret.clone()
	secret.Deleted = s.now()
	secret.Changed = secret.Deleted
	secret.Purged = secret.Deleted.Add(time.Duration(days) * 24 * time.Hour)
	if err := s.save(ctx, secret); err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name),
		DeletionDate: aws.Time(secret.Purged)}, nil
}

// forceDelete deletes what find found. mu must be held.
func (s *Server) forceDelete(ctx context.Context, id *string, secret *Secret, err error) (*secretsmanager.DeleteSecretOutput, error) {
	out := &secretsmanager.DeleteSecretOutput{DeletionDate: aws.Time(s.now())}
	if absent := new(types.ResourceNotFoundException); errors.As(err, &absent) {
		name, isARN := strings.CutPrefix(*id, s.prefix)
		out.Name, out.ARN = aws.String(name), aws.String(*id)
		if !isARN {
			out.ARN = aws.String(s.newARN(name))
		}
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.remove(ctx, secret); err != nil {
		return nil, err
	}
	out.Name, out.ARN = aws.String(secret.Name), aws.String(secret.ARN)
	return out, nil
}

// RestoreSecret takes back a scheduled deletion. For a secret that isn't
// scheduled it does nothing.
func (s *Server) RestoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.RestoreSecretOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	if secret.scheduled() {
		secret = secret.clone()
		secret.Changed = s.now()
		secret.Deleted, secret.Purged = time.Time{}, time.Time{}
		if err := s.save(ctx, secret); err != nil {
			return nil, err
		}
	}
	return &secretsmanager.RestoreSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}
