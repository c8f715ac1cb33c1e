package secretserver

import (
	"bytes"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The staging labels that the service itself moves.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// maxVersions is how many versions a secret keeps ("AWS Secrets Manager
// quotas"). Those without a staging label go first.
const maxVersions = 100

// Secret is one secret with its versions, the oldest first.
type Secret struct {
	ARN, Name             string
	Description, KMSKeyID string
	Created, Changed      time.Time
	Versions              []Version
}

// Version is one value of a secret. It is text or binary, never both.
type Version struct {
	ID      string
	Created time.Time
	Stages  []string
	Text    *string
	Binary  []byte
}

// String and LogValue keep values out of logs and errors.

func (s Secret) String() string       { return s.Name }
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.Name) }

func (v Version) String() string       { return v.ID }
func (v Version) LogValue() slog.Value { return slog.StringValue(v.ID) }

func (v *Version) sameValue(s *string, b []byte) bool {
	return (v.Text == nil) == (s == nil) && aws.ToString(v.Text) == aws.ToString(s) && bytes.Equal(v.Binary, b)
}

// clone is a copy that shares nothing that add or attach change.
func (s *Secret) clone() *Secret {
	c := *s
	c.Versions = slices.Clone(s.Versions)
	for i := range c.Versions {
		c.Versions[i].Stages = slices.Clone(c.Versions[i].Stages)
	}
	return &c
}

func (s *Secret) version(id string) *Version {
	i := slices.IndexFunc(s.Versions, func(v Version) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Versions[i]
}

func (s *Secret) staged(stage string) *Version {
	i := slices.IndexFunc(s.Versions, func(v Version) bool { return slices.Contains(v.Stages, stage) })
	if i < 0 {
		return nil
	}
	return &s.Versions[i]
}

// add makes v a version of s, with stages. A stage is on one version at a
// time; who had AWSCURRENT before has AWSPREVIOUS afterwards.
func (s *Secret) add(v Version, stages []string) {
	s.Versions = append(s.Versions, v)
	for _, stage := range stages {
		before := s.staged(stage)
		s.attach(stage, v.ID)
		if stage == stageCurrent && before != nil && !slices.Contains(stages, stagePrevious) {
			s.attach(stagePrevious, before.ID)
		}
	}
	for len(s.Versions) > maxVersions {
		i := slices.IndexFunc(s.Versions, func(v Version) bool { return len(v.Stages) == 0 })
		if i < 0 {
			return
		}
		s.Versions = slices.Delete(s.Versions, i, i+1)
	}
}

func (s *Secret) attach(stage, id string) {
	if holder := s.staged(stage); holder != nil {
		holder.Stages = slices.DeleteFunc(holder.Stages, func(l string) bool { return l == stage })
	}
	to := s.version(id)
	to.Stages = append(to.Stages, stage)
}
