package secretserver

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// add makes v a version of s, with stages.
func (s *Secret) add(v Version, stages []string) error {
	s.Versions = append(s.Versions, v)
	err := s.label(v.ID, stages)
	s.prune()
	return err
}

// label gives a version stages.
func (s *Secret) label(id string, stages []string) error {
	if slices.Contains(stages, stageCurrent) {
		// A rotation that has ended leaves AWSPENDING on its version. The next
		// value takes it off (recorded by LocalStack's snapshot of
		// test_update_secret_version_stages_current_pending).
		if old := s.staged(stageCurrent); old != nil && slices.Contains(old.Stages, stagePending) {
			s.detach(stagePending)
		}
		s.give(stageCurrent, id)
	}
	for _, stage := range stages {
		s.attach(stage, id)
	}
	return s.checkStageCount()
}

// prune drops the oldest versions without a staging label.
func (s *Secret) prune() {
	for len(s.Versions) > maxVersions {
		i := slices.IndexFunc(s.Versions, func(v Version) bool { return len(v.Stages) == 0 })
		if i < 0 {
			return
		}
		s.Versions = slices.Delete(s.Versions, i, i+1)
	}
}

// give puts stage on a version. Who had AWSCURRENT before has AWSPREVIOUS
// afterwards.
func (s *Secret) give(stage, id string) {
	before := s.staged(stage)
	s.attach(stage, id)
	if stage == stageCurrent && before != nil && before.ID != id {
		s.attach(stagePrevious, before.ID)
	}
}

// attach puts stage on a version and takes it off the one that had it: a
// stage is on one version at a time.
func (s *Secret) attach(stage, id string) {
	s.detach(stage)
	to := s.version(id)
	to.Stages = append(to.Stages, stage)
}

func (s *Secret) detach(stage string) {
	if holder := s.staged(stage); holder != nil {
		holder.Stages = slices.DeleteFunc(holder.Stages, func(l string) bool { return l == stage })
	}
}

func (s *Secret) checkStageCount() error {
	n := 0
	for _, v := range s.Versions {
		n += len(v.Stages)
	}
	if n > maxStages {
		return limitExceeded("The versions of a secret can have at most %d staging labels in all.", maxStages)
	}
	return nil
}

func checkStages(stages []string) error {
	if stages == nil {
		return nil
	}
	if err := checkLength("versionStages", len(stages), 1, maxStages); err != nil {
		return err
	}
	for _, stage := range stages {
		if err := checkLength("versionStages", utf8.RuneCountInString(stage), 1, 256); err != nil {
			return err
		}
	}
	return nil
}

// UpdateSecretVersionStage moves a staging label to another version, or takes
// it off the one that has it. Rotation ends with AWSCURRENT moved like this.
func (s *Server) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput,
	_ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	stage := aws.ToString(in.VersionStage)
	if err := checkLength("versionStage", utf8.RuneCountInString(stage), 1, 256); err != nil {
		return nil, err
	}
	secret, err := s.change(ctx, in.SecretId, func(secret *Secret) (bool, error) {
		return true, secret.move(stage, in.RemoveFromVersionId, in.MoveToVersionId)
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}, nil
}

// move is UpdateSecretVersionStage. Nil means that the request didn't name a
// version.
func (s *Secret) move(stage string, from, to *string) error {
	for _, id := range []*string{from, to} {
		if id != nil && s.version(*id) == nil {
			return notFound("Secrets Manager can't find the specified secret version: %s", *id)
		}
	}
	holder := s.staged(stage)
	switch {
	case from == nil && to == nil:
		return invalidParameter("You must specify MoveToVersionId, RemoveFromVersionId or both.")
	case from != nil && (holder == nil || holder.ID != *from):
		return invalidParameter("If you specify RemoveFromVersionId, it must be the version that has staging label %s.", stage)
	case from == nil && holder != nil && holder.ID != *to:
		return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, "+
			"so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID)
	case to == nil && stage == stageCurrent:
		return invalidParameter("You can only move staging label %s to a different secret version. It can't be completely removed.", stage)
	case to == nil:
		s.detach(stage)
	default:
		s.give(stage, *to)
	}
	return s.checkStageCount()
}
