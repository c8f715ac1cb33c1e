package secretserver_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/secretserver"
)

// memory is a Store whose next write can be made to fail.
type memory struct {
	mu            sync.Mutex
	kept          map[string]secretserver.Secret
	fail, persist bool
}

var errFault = errors.New("the disk is on fire")

func (m *memory) LoadSecrets(context.Context) ([]secretserver.Secret, error) {
	return slices.Collect(maps.Values(m.kept)), nil
}

func (m *memory) PutSecret(_ context.Context, s secretserver.Secret) error {
	return m.write(func() { m.kept[s.Name] = s })
}

func (m *memory) DeleteSecret(_ context.Context, name string) error {
	return m.write(func() { delete(m.kept, name) })
}

func (m *memory) write(do func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	failing := m.fail
	m.fail = false
	if !failing || m.persist {
		do()
	}
	if failing {
		return errFault
	}
	return nil
}

type bundle struct {
	*secretserver.Server
	t     *testing.T
	store *memory
	now   time.Time
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, store: &memory{kept: map[string]secretserver.Secret{}}, now: time.Date(2026, 11, 24, 12, 0, 0, 5e8, time.UTC)}
	b.restart()
	return b
}

func (b *bundle) restart() {
	b.t.Helper()
	s, err := secretserver.Open(b.t.Context(), b.store, secretserver.Options{
		Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler)})
	b.must(err)
	b.Server = s
}

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) wantCode(err error, code string) {
	b.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		b.t.Fatalf("got error %v, want %s", err, code)
	}
}

// token is the n-th client request token.
func token(n int) *string { return aws.String(fmt.Sprintf("%032d", n)) }

func (b *bundle) create(name, value string) string {
	b.t.Helper()
	out, err := b.CreateSecret(b.t.Context(), &secretsmanager.CreateSecretInput{
		Name: &name, SecretString: &value, ClientRequestToken: token(1)})
	b.must(err)
	return *out.ARN
}

func (b *bundle) put(id, value string, n int, stages ...string) error {
	_, err := b.PutSecretValue(b.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &id, SecretString: &value, ClientRequestToken: token(n), VersionStages: stages})
	return err
}

func (b *bundle) move(id, stage string, from, to *string) error {
	_, err := b.UpdateSecretVersionStage(b.t.Context(), &secretsmanager.UpdateSecretVersionStageInput{SecretId: &id, VersionStage: &stage,
		RemoveFromVersionId: from, MoveToVersionId: to})
	return err
}

func many(name string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(name, i))
	}
	return list
}

// stages says which version holds each stage.
func (b *bundle) stages(id string) string {
	b.t.Helper()
	out, err := b.DescribeSecret(b.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	b.must(err)
	var list []string
	for v, stages := range out.VersionIdsToStages {
		for _, stage := range stages {
			list = append(list, stage+"="+strings.TrimLeft(v, "0"))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestGetSecretValue(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	arn := b.create("efferent/webhooks/acme", "one")
	created := b.now
	b.now = b.now.Add(time.Hour)
	b.must(b.put(arn, "two", 2))
	partial := arn[:len(arn)-7]
	for name, c := range map[string]struct {
		in   secretsmanager.GetSecretValueInput
		want string // the value, or the code of an error
	}{
		"by name":        {secretsmanager.GetSecretValueInput{SecretId: aws.String("efferent/webhooks/acme")}, "two"},
		"by ARN":         {secretsmanager.GetSecretValueInput{SecretId: &arn}, "two"},
		"by partial ARN": {secretsmanager.GetSecretValueInput{SecretId: &partial}, "two"},
		"by another account's ARN": {secretsmanager.GetSecretValueInput{
			SecretId: aws.String(strings.Replace(arn, ":000000000000:", ":111111111111:", 1))}, "ResourceNotFoundException"},
		"an odd name":     {secretsmanager.GetSecretValueInput{SecretId: aws.String("a b")}, "ValidationException"},
		"by an older ARN": {secretsmanager.GetSecretValueInput{SecretId: aws.String(partial + "-abcdef")}, "ResourceNotFoundException"},
		"current":         {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")}, "two"},
		"previous":        {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPREVIOUS")}, "one"},
		"a version":       {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(1)}, "one"},
		"a version and stage": {secretsmanager.GetSecretValueInput{
			SecretId: &arn, VersionId: token(1), VersionStage: aws.String("AWSPREVIOUS")}, "one"},
		"that do not agree": {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(1), VersionStage: aws.String("AWSCURRENT")},
			"InvalidRequestException"},
		"an unknown version": {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(9)}, "ResourceNotFoundException"},
		"an unknown stage":   {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("x")}, "ResourceNotFoundException"},
		"an unknown secret":  {secretsmanager.GetSecretValueInput{SecretId: aws.String("nope")}, "ResourceNotFoundException"},
		"no secret":          {secretsmanager.GetSecretValueInput{}, "InvalidParameterException"},
	} {
		out, err := b.GetSecretValue(t.Context(), &c.in)
		if strings.HasSuffix(c.want, "Exception") {
			b.wantCode(err, c.want)
			continue
		}
		b.must(err)
		if *out.SecretString != c.want || out.SecretBinary != nil || *out.ARN != arn {
			t.Errorf("%s: got %+v", name, out)
		}
		if at := map[string]time.Time{"one": created, "two": b.now}[c.want]; !out.CreatedDate.Equal(at) {
			t.Errorf("%s: created %v", name, out.CreatedDate)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 65537)
	b := newBundle(t)
	b.create("there", "one")
	for name, c := range map[string]struct {
		in   secretsmanager.CreateSecretInput
		code string
	}{
		"no name":     {secretsmanager.CreateSecretInput{}, "InvalidParameterException"},
		"an odd name": {secretsmanager.CreateSecretInput{Name: aws.String("a b")}, "ValidationException"},
		"a long name": {secretsmanager.CreateSecretInput{Name: aws.String(long[:513])}, "ValidationException"},
		"a long description": {secretsmanager.CreateSecretInput{Name: aws.String("a"), Description: aws.String(long[:2049])},
			"ValidationException"},
		"both values": {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("x"), SecretBinary: []byte("x")},
			"InvalidParameterException"},
		"a long value":   {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: &long}, "ValidationException"},
		"long bytes":     {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretBinary: []byte(long)}, "ValidationException"},
		"an empty value": {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("")}, "ValidationException"},
		"a short token": {secretsmanager.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: aws.String("x")},
			"InvalidParameterException"},
		"there already": {secretsmanager.CreateSecretInput{Name: aws.String("there"), SecretString: aws.String("one"),
			ClientRequestToken: token(2)}, "ResourceExistsException"},
		"there, same token": {secretsmanager.CreateSecretInput{Name: aws.String("there"), SecretString: aws.String("two"),
			ClientRequestToken: token(1)}, "ResourceExistsException"},
		"a tag without key": {secretsmanager.CreateSecretInput{Name: aws.String("a"), Tags: []types.Tag{{}}}, "ValidationException"},
		"AWS's own tag": {secretsmanager.CreateSecretInput{Name: aws.String("a"), Tags: []types.Tag{{Key: aws.String("aws:x")}}},
			"InvalidParameterException"},
		"replicas": {secretsmanager.CreateSecretInput{Name: aws.String("a"), AddReplicaRegions: []types.ReplicaRegionType{{}}},
			"UnsupportedOperation"},
		"a partner's type": {secretsmanager.CreateSecretInput{Name: aws.String("a"), Type: aws.String("x")}, "UnsupportedOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.CreateSecret(t.Context(), &c.in)
			(&bundle{t: t}).wantCode(err, c.code)
		})
	}
	if again := b.create("there", "one"); b.stages(again) != "AWSCURRENT=1" {
		t.Error("a repetition changed something")
	}
	_, err := b.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("there")})
	b.wantCode(err, "InvalidRequestException")
	b.wantCode(b.put("nope", "x", 3), "ResourceNotFoundException")
	b.wantCode(b.put("there", "x", 3, ""), "ValidationException")
	b.wantCode(b.put("there", "x", 3, many("stage", 21)...), "ValidationException")
	// 19 new labels and AWSCURRENT are 20.
	b.must(b.put("there", "x", 3, many("stage", 19)...))
	b.wantCode(b.put("there", "y", 4, "another"), "LimitExceededException")
	b.wantCode(b.move("there", "another", nil, token(1)), "LimitExceededException")
	b.must(b.put("there", "y", 4, "stage1"))
}

func TestUpdateAndDescribe(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, err := b.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("s"), Description: aws.String("old")})
	b.must(err)
	_, err = b.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	b.wantCode(err, "ResourceNotFoundException")
	b.now = b.now.Add(time.Hour)
	out, err := b.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("s"), Description: aws.String("new"),
		KmsKeyId: aws.String("k"), SecretBinary: []byte{0, 255}, ClientRequestToken: token(1)})
	b.must(err)
	if *out.VersionId != *token(1) {
		t.Errorf("version %s", *out.VersionId)
	}
	b.restart()
	d, err := b.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("s")})
	b.must(err)
	if *d.Description != "new" || *d.KmsKeyId != "k" || d.LastChangedDate.Sub(*d.CreatedDate) != time.Hour {
		t.Errorf("described %+v", d)
	}
	v, err := b.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	b.must(err)
	if string(v.SecretBinary) != "\x00\xff" || v.SecretString != nil {
		t.Errorf("got %+v", v)
	}
}

func TestVersionsAreLimited(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "1")
	b.must(b.put("s", "labelled", 1000, "keep"))
	for n := 2; n < 150; n++ {
		b.must(b.put("s", fmt.Sprint(n), n))
	}
	if n := len(b.store.kept["s"].Versions); n != 100 {
		t.Errorf("%d versions", n)
	}
	if got := b.stages("s"); got != "AWSCURRENT=149 AWSPREVIOUS=148 keep=1000" {
		t.Errorf("stages %s", got)
	}
}

func TestValuesAreKeptOutOfLogs(t *testing.T) {
	t.Parallel()
	const value = "whsec_c2VjcmV0"
	b := newBundle(t)
	b.create("s", value)
	s := b.store.kept["s"]
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "version", s.Versions[0])
	for _, text := range []string{log.String(), fmt.Sprint(s), fmt.Sprintf("%+v %v", s, s.Versions)} {
		if strings.Contains(text, value) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value))) {
			t.Errorf("the value is in %s", text)
		}
	}
}
