package secretserver

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// maxTags is how many tags a secret has ("Service quotas for tagging" in the
// AWS General Reference).
const maxTags = 50

// tag adds tags, or changes their values.
func (s *Secret) tag(tags []types.Tag) error {
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if err := checkLength("tags.member.key", utf8.RuneCountInString(key), 1, 128); err != nil {
			return err
		}
		if err := checkLength("tags.member.value", utf8.RuneCountInString(value), 0, 256); err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalidParameter("Tag keys that begin with aws: are reserved.")
		}
		i := slices.IndexFunc(s.Tags, func(t Tag) bool { return t.Key == key })
		if i < 0 {
			s.Tags = append(s.Tags, Tag{Key: key, Value: value})
		} else {
			s.Tags[i].Value = value
		}
	}
	if len(s.Tags) > maxTags {
		return invalidParameter("A secret can have at most %d tags.", maxTags)
	}
	return nil
}

func (s *Secret) tagList() []types.Tag {
	if s.Tags == nil {
		return nil
	}
	list := make([]types.Tag, len(s.Tags))
	for i, t := range s.Tags {
		list[i] = types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	}
	return list
}

// TagResource adds tags to a secret.
func (s *Server) TagResource(ctx context.Context, in *secretsmanager.TagResourceInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.TagResourceOutput, error) {
	if in.Tags == nil {
		return nil, invalidParameter("The request must contain Tags.")
	}
	_, err := s.change(ctx, in.SecretId, func(secret *Secret) (bool, error) { return len(in.Tags) > 0, secret.tag(in.Tags) })
	if err != nil {
		return nil, err
	}
	return &secretsmanager.TagResourceOutput{}, nil
}

// UntagResource removes tags from a secret. One that it hasn't is no error.
func (s *Server) UntagResource(ctx context.Context, in *secretsmanager.UntagResourceInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.UntagResourceOutput, error) {
	if in.TagKeys == nil {
		return nil, invalidParameter("The request must contain TagKeys.")
	}
	_, err := s.change(ctx, in.SecretId, func(secret *Secret) (bool, error) {
		before := len(secret.Tags)
		secret.Tags = slices.DeleteFunc(secret.Tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return len(secret.Tags) < before, nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UntagResourceOutput{}, nil
}
