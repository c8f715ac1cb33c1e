package secretserver

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// GetSecretValue gives one version's value: AWSCURRENT's unless the request
// names a version or a stage.
func (s *Server) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	s.mu.RLock()
	secret, err := s.live(in.SecretId)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	v, err := secret.wanted(in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	s.touch(ctx, secret, v)
	out := &secretsmanager.GetSecretValueOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name),
		VersionId: aws.String(v.ID), VersionStages: v.stages(), CreatedDate: date(v.Created), SecretBinary: bytes.Clone(v.Binary)}
	if v.Text != nil {
		out.SecretString = aws.String(*v.Text)
	}
	return out, nil
}

func (s *Secret) wanted(id, stage *string) (*Version, error) {
	if id == nil {
		label := stageCurrent
		if stage != nil {
			label = *stage
		}
		if v := s.staged(label); v != nil && !v.empty() {
			return v, nil
		}
		return nil, notFound("Secrets Manager can't find the specified secret value for staging label: %s", label)
	}
	v := s.version(*id)
	if v == nil || v.empty() {
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: %s", *id)
	}
	if stage != nil && !slices.Contains(v.Stages, *stage) {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

// touch keeps the day on which a version was read: one write a day. A failing
// store doesn't keep the reader from the value.
func (s *Server) touch(ctx context.Context, secret *Secret, v *Version) {
	day := s.now().UTC().Truncate(24 * time.Hour)
	if !v.Accessed.Before(day) && !secret.Accessed.Before(day) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.present(secret.Name)
	if now == nil || now.ARN != secret.ARN || now.version(v.ID) == nil {
		return
	}
	now = now.clone()
	now.Accessed, now.version(v.ID).Accessed = day, day
	_ = s.save(ctx, now) // it has been logged; the next read tries again
}

// BatchGetSecretValue gives the AWSCURRENT values of a list of secrets, or of
// a page of those that filters choose. What can't be read is in Errors.
func (s *Server) BatchGetSecretValue(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.BatchGetSecretValueOutput, error) {
	ids, next, err := s.batch(in)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.BatchGetSecretValueOutput{NextToken: next, SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}}
	for _, id := range ids {
		got, err := s.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		var api smithy.APIError
		switch {
		case errors.As(err, &api):
			out.Errors = append(out.Errors, types.APIErrorType{SecretId: &id, ErrorCode: aws.String(api.ErrorCode()),
				Message: aws.String(api.ErrorMessage())})
		case err != nil:
			return nil, err
		default:
			out.SecretValues = append(out.SecretValues, types.SecretValueEntry{ARN: got.ARN, Name: got.Name, CreatedDate: got.CreatedDate,
				SecretBinary: got.SecretBinary, SecretString: got.SecretString, VersionId: got.VersionId, VersionStages: got.VersionStages})
		}
	}
	return out, nil
}

// batch is the ids that a request asks for.
func (s *Server) batch(in *secretsmanager.BatchGetSecretValueInput) (ids []string, next *string, err error) {
	byIDs := len(in.Filters) == 0
	switch {
	case byIDs == (len(in.SecretIdList) == 0):
		return nil, nil, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case byIDs && in.MaxResults != nil:
		return nil, nil, invalidParameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	case byIDs && in.NextToken != nil:
		return nil, nil, invalidNextToken()
	case byIDs:
		return in.SecretIdList, nil, checkLength("secretIdList", len(in.SecretIdList), 1, maxBatched)
	}
	list, next, err := s.filtered(in.Filters, false, "", paging{token: in.NextToken, max: in.MaxResults, most: maxBatched})
	for _, secret := range list {
		ids = append(ids, secret.ARN)
	}
	return ids, next, err
}
