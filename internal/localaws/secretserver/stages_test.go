package secretserver_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/secretserver"
)

func TestStagesMove(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	for _, c := range []struct {
		value  string
		n      int
		stages []string
		want   string
	}{
		{"two", 2, nil, "AWSCURRENT=2 AWSPREVIOUS=1"},
		{"two", 2, nil, "AWSCURRENT=2 AWSPREVIOUS=1"}, // repeated
		{"three", 3, []string{"AWSPENDING"}, "AWSCURRENT=2 AWSPENDING=3 AWSPREVIOUS=1"},
		{"four", 4, []string{"AWSCURRENT", "mine"}, "AWSCURRENT=4 AWSPENDING=3 AWSPREVIOUS=2 mine=4"},
		{"five", 5, []string{"mine"}, "AWSCURRENT=4 AWSPENDING=3 AWSPREVIOUS=2 mine=5"},
		{"one", 1, nil, "AWSCURRENT=4 AWSPENDING=3 AWSPREVIOUS=2 mine=5"}, // repeated long after
	} {
		b.must(b.put("s", c.value, c.n, c.stages...))
		if got := b.stages("s"); got != c.want {
			t.Fatalf("after %s: %s, want %s", c.value, got, c.want)
		}
		b.restart()
	}
	b.wantCode(b.put("s", "another", 2), "ResourceExistsException")
}

// LocalStack's test_update_secret_version_stages_current_pending, recorded on AWS.
func TestTheValueAfterARotationEndsIt(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	b.must(b.put("s", "two", 2, "AWSPENDING"))
	b.must(b.move("s", "AWSCURRENT", token(1), token(2)))
	b.must(b.put("s", "three", 3))
	if got := b.stages("s"); got != "AWSCURRENT=3 AWSPREVIOUS=2" {
		t.Error(got)
	}
}

func TestUpdateSecretVersionStage(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	b.must(b.put("s", "two", 2, "AWSPENDING"))
	for _, c := range []struct {
		name, stage string
		from, to    *string
		want        string // where the stages are, or the code of an error
	}{
		{"rotation ends", "AWSCURRENT", token(1), token(2), "AWSCURRENT=2 AWSPENDING=2 AWSPREVIOUS=1"},
		{"repeated", "AWSCURRENT", nil, token(2), "AWSCURRENT=2 AWSPENDING=2 AWSPREVIOUS=1"},
		{"without saying from where", "AWSCURRENT", nil, token(1), "InvalidParameterException"},
		{"from the wrong version", "AWSCURRENT", token(1), token(2), "InvalidParameterException"},
		{"from a version without it", "mine", token(1), token(2), "InvalidParameterException"},
		{"taken off", "AWSPENDING", token(2), nil, "AWSCURRENT=2 AWSPREVIOUS=1"},
		{"AWSCURRENT taken off", "AWSCURRENT", token(2), nil, "InvalidParameterException"},
		{"added", "mine", nil, token(1), "AWSCURRENT=2 AWSPREVIOUS=1 mine=1"},
		{"moved", "mine", token(1), token(2), "AWSCURRENT=2 AWSPREVIOUS=1 mine=2"},
		{"back", "AWSCURRENT", token(2), token(1), "AWSCURRENT=1 AWSPREVIOUS=2 mine=2"},
		{"nowhere", "mine", nil, nil, "InvalidParameterException"},
		{"to no version", "mine", token(2), token(9), "ResourceNotFoundException"},
		{"from no version", "mine", token(9), token(1), "ResourceNotFoundException"},
		{"no stage", "", token(1), token(2), "ValidationException"},
	} {
		before, err := b.stages("s"), b.move("s", c.stage, c.from, c.to)
		b.restart()
		got := b.stages("s")
		if api := smithy.APIError(nil); errors.As(err, &api) {
			if got != before {
				t.Errorf("%s failed and changed %s to %s", c.name, before, got)
			}
			got = api.ErrorCode()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestAnEmptyVersionIsFilled: a rotation begins with a version that has a stage and
// no value. RotateSecret, which makes it, is not served.
func TestAnEmptyVersionIsFilled(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	kept := b.store.kept["s"]
	kept.Versions = append(kept.Versions, secretserver.Version{ID: *token(2), Stages: []string{"AWSPENDING"}})
	b.store.kept["s"] = kept
	b.restart()
	for _, in := range []secretsmanager.GetSecretValueInput{{VersionStage: aws.String("AWSPENDING")}, {VersionId: token(2)}} {
		in.SecretId = aws.String("s")
		_, err := b.GetSecretValue(t.Context(), &in)
		b.wantCode(err, "ResourceNotFoundException")
	}
	for range 2 {
		b.must(b.put("s", "two", 2, "AWSPENDING", "mine"))
		b.restart()
		if got := b.stages("s"); got != "AWSCURRENT=1 AWSPENDING=2 mine=2" {
			t.Errorf("stages %s", got)
		}
	}
	b.wantCode(b.put("s", "three", 2, "AWSPENDING"), "ResourceExistsException")
}

func TestTags(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	tag := func(pairs ...string) error {
		var tags []types.Tag
		for i := 0; i < len(pairs); i += 2 {
			tags = append(tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := b.TagResource(t.Context(), &secretsmanager.TagResourceInput{SecretId: aws.String("s"), Tags: tags})
		return err
	}
	untag := func(keys ...string) error {
		_, err := b.UntagResource(t.Context(), &secretsmanager.UntagResourceInput{SecretId: aws.String("s"), TagKeys: keys})
		return err
	}
	want := func(want map[string]string, absent bool) {
		t.Helper()
		b.restart()
		d, err := b.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("s")})
		b.must(err)
		if (d.Tags == nil) != absent || len(d.Tags) != len(want) {
			t.Errorf("tags %v, want %v", d.Tags, want)
		}
		for _, tag := range d.Tags {
			if want[*tag.Key] != *tag.Value {
				t.Errorf("tag %s is %s, want %s", *tag.Key, *tag.Value, want[*tag.Key])
			}
		}
	}
	want(nil, true)
	b.must(tag("a", "1", "A", "2"))
	b.must(tag("a", "3", "b", ""))
	want(map[string]string{"a": "3", "A": "2", "b": ""}, false)
	b.must(untag("A", "none"))
	want(map[string]string{"a": "3", "b": ""}, false)
	b.must(untag("a", "b"))
	want(nil, false) // an empty list, as AWS answers once there were tags
	b.wantCode(tag(), "InvalidParameterException")
	b.wantCode(untag(), "InvalidParameterException")
	var pairs []string
	for _, key := range many("k", 50) {
		pairs = append(pairs, key, "x")
	}
	b.must(tag(pairs...))
	b.must(tag("k1", "y"))
	b.wantCode(tag("one more", "x"), "InvalidParameterException")
}
