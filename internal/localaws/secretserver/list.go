package secretserver

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// The most entries of a page, and its default.
const (
	maxListed  = 100
	maxBatched = 20
)

// ListSecrets lists secrets, without those that are scheduled for deletion
// unless the request includes them. The oldest come first.
func (s *Server) ListSecrets(_ context.Context, in *secretsmanager.ListSecretsInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.ListSecretsOutput, error) {
	if in.SortBy != "" && !slices.Contains(in.SortBy.Values(), in.SortBy) || in.SortOrder != "" &&
		!slices.Contains(in.SortOrder.Values(), in.SortOrder) {
		return nil, invalidValue("1 validation error detected: SortBy must be one of %v, and SortOrder one of %v", in.SortBy.Values(),
			in.SortOrder.Values())
	}
	list, next, err := s.filtered(in.Filters, aws.ToBool(in.IncludePlannedDeletion), in.SortBy,
		paging{token: in.NextToken, max: in.MaxResults, most: maxListed, desc: in.SortOrder == types.SortOrderTypeDesc})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{NextToken: next, SecretList: []types.SecretListEntry{}}
	for _, secret := range list {
		out.SecretList = append(out.SecretList, secret.entry())
	}
	return out, nil
}

// filtered is one page of the secrets that pass the filters.
func (s *Server) filtered(filters []types.Filter, scheduled bool, by types.SortByType, p paging) ([]*Secret, *string, error) {
	if err := checkFilters(filters); err != nil {
		return nil, nil, err
	}
	var list []*Secret
	s.mu.RLock()
	for name := range s.secrets {
		if secret := s.present(name); secret != nil && (scheduled || !secret.scheduled()) && secret.passes(filters) {
			list = append(list, secret)
		}
	}
	s.mu.RUnlock()
	return page(list, func(secret *Secret) place { return place{secret.sortTime(by), secret.Name} }, p)
}

func (s *Secret) sortTime(by types.SortByType) time.Time {
	switch by {
	case types.SortByTypeName:
		return time.Time{}
	case types.SortByTypeLastChangedDate:
		return s.Changed
	case types.SortByTypeLastAccessedDate:
		return s.Accessed
	}
	return s.Created
}

// entry is what a list and DescribeSecret tell about a secret.
func (s *Secret) entry() types.SecretListEntry {
	e := types.SecretListEntry{ARN: aws.String(s.ARN), Name: aws.String(s.Name), Description: text(s.Description), KmsKeyId: text(s.KMSKeyID),
		CreatedDate: date(s.Created), LastChangedDate: date(s.Changed), LastAccessedDate: date(s.Accessed), DeletedDate: date(s.Deleted),
		Tags: s.tagList()}
	for _, v := range s.Versions {
		if len(v.Stages) > 0 {
			if e.SecretVersionsToStages == nil {
				e.SecretVersionsToStages = map[string][]string{}
			}
			e.SecretVersionsToStages[v.ID] = slices.Clone(v.Stages)
		}
	}
	return e
}

// text and date leave out what has no value, as AWS does.

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// DescribeSecret tells everything about a secret but its values, of one that
// is scheduled for deletion too.
func (s *Server) DescribeSecret(_ context.Context, in *secretsmanager.DescribeSecretInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.DescribeSecretOutput, error) {
	s.mu.RLock()
	secret, err := s.find(in.SecretId)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	e := secret.entry()
	return &secretsmanager.DescribeSecretOutput{ARN: e.ARN, Name: e.Name, Description: e.Description, KmsKeyId: e.KmsKeyId,
		CreatedDate: e.CreatedDate, LastChangedDate: e.LastChangedDate, LastAccessedDate: e.LastAccessedDate,
		// Unlike a list, DescribeSecret gives the end of the recovery window.
		DeletedDate: date(secret.Purged),
		Tags:        e.Tags, VersionIdsToStages: e.SecretVersionsToStages}, nil
}

// ListSecretVersionIds lists a secret's versions, the oldest first: those with
// a staging label, and the others if the request includes deprecated ones.
func (s *Server) ListSecretVersionIds(_ context.Context, in *secretsmanager.ListSecretVersionIdsInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.ListSecretVersionIdsOutput, error) {
	s.mu.RLock()
	secret, err := s.find(in.SecretId)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	versions := slices.Clone(secret.Versions)
	if !aws.ToBool(in.IncludeDeprecated) {
		versions = slices.DeleteFunc(versions, func(v Version) bool { return len(v.Stages) == 0 })
	}
	versions, next, err := page(versions, func(v Version) place { return place{v.Created, v.ID} },
		paging{token: in.NextToken, max: in.MaxResults, most: maxListed})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretVersionIdsOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), NextToken: next,
		Versions: []types.SecretVersionsListEntry{}}
	key := secret.KMSKeyID
	if key == "" {
		key = "DefaultEncryptionKey"
	}
	for _, v := range versions {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{VersionId: aws.String(v.ID), CreatedDate: date(v.Created),
			LastAccessedDate: date(v.Accessed), KmsKeyIds: []string{key}, VersionStages: v.stages()})
	}
	return out, nil
}
