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
	stagePending  = "AWSPENDING"
)

// maxVersions is how many versions a secret keeps ("AWS Secrets Manager
// quotas"). Those without a staging label go first.
const maxVersions = 100

// maxStages is how many staging labels the versions of a secret have in all
// ("AWS Secrets Manager quotas").
const maxStages = 20

// Secret is one secret with its versions, the oldest first.
type Secret struct {
	ARN, Name             string
	Description, KMSKeyID string
	Created, Changed      time.Time
	Accessed              time.Time `json:",omitzero"` // a day; zero: never read
	Deleted               time.Time `json:",omitzero"` // when deletion was asked for; zero: it was not
	Purged                time.Time `json:",omitzero"` // when the recovery window of a deleted secret ends
	Tags                  []Tag     // nil until it is first tagged
	Versions              []Version
}

// Tag is a tag of a secret.
type Tag struct{ Key, Value string }

// Version is one value of a secret. It is text or binary, never both. One that is
// neither is to be made by a rotation: "During rotation, Secrets Manager creates an
// AWSPENDING version ID before creating the new secret version" ("DescribeSecret" in
// the API reference). It is filled by PutSecretValue, and can't be read before.
type Version struct {
	ID      string
	Created time.Time
	// Accessed is the day of the last read, zero if there was none.
	Accessed time.Time `json:",omitzero"`
	Stages   []string
	Text     *string
	Binary   []byte
}

// String and LogValue keep values out of logs and errors.

func (s Secret) String() string       { return s.Name }
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.Name) }

func (v Version) String() string       { return v.ID }
func (v Version) LogValue() slog.Value { return slog.StringValue(v.ID) }

func (v *Version) empty() bool { return v.Text == nil && v.Binary == nil }

// stages is a copy of v's staging labels, nil if it has none.
func (v *Version) stages() []string { return append([]string(nil), v.Stages...) }

func (v *Version) sameValue(s *string, b []byte) bool {
	return (v.Text == nil) == (s == nil) && aws.ToString(v.Text) == aws.ToString(s) && bytes.Equal(v.Binary, b)
}

// scheduled: it waits for the end of its recovery window.
func (s *Secret) scheduled() bool { return !s.Deleted.IsZero() }

// gone: its recovery window has ended.
func (s *Secret) gone(now time.Time) bool { return s.scheduled() && !now.Before(s.Purged) }

// clone is a copy that shares nothing that a change to a secret writes to.
func (s *Secret) clone() *Secret {
	c := *s
	c.Tags = slices.Clone(s.Tags)
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
