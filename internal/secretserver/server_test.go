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
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/secretserver"
)

// memory is a Store whose next write can be made to fail.
type memory struct {
	kept          map[string]secretserver.Secret
	fail, persist bool
}

var errFault = errors.New("the disk is on fire")

func (m *memory) LoadSecrets(context.Context) ([]secretserver.Secret, error) {
	return slices.Collect(maps.Values(m.kept)), nil
}

func (m *memory) PutSecret(_ context.Context, s secretserver.Secret) error {
	failing := m.fail
	m.fail = false
	if !failing || m.persist {
		m.kept[s.Name] = s
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
	b := &bundle{t: t, store: &memory{kept: map[string]secretserver.Secret{}}, now: time.Date(2026, 11, 24, 12, 0, 0, 5e8, time.UTC)}
	b.restart()
	return b
}

func (b *bundle) restart() {
	b.t.Helper()
	s, err := secretserver.Open(b.t.Context(), b.store, secretserver.Options{Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler)})
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
	out, err := b.CreateSecret(b.t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value, ClientRequestToken: token(1)})
	b.must(err)
	return *out.ARN
}

func (b *bundle) put(id, value string, n int, stages ...string) error {
	_, err := b.PutSecretValue(b.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: &value, ClientRequestToken: token(n), VersionStages: stages})
	return err
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
		"by name":             {secretsmanager.GetSecretValueInput{SecretId: aws.String("efferent/webhooks/acme")}, "two"},
		"by ARN":              {secretsmanager.GetSecretValueInput{SecretId: &arn}, "two"},
		"by partial ARN":      {secretsmanager.GetSecretValueInput{SecretId: &partial}, "two"},
		"by an older ARN":     {secretsmanager.GetSecretValueInput{SecretId: aws.String(partial + "-abcdef")}, "ResourceNotFoundException"},
		"current":             {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")}, "two"},
		"previous":            {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPREVIOUS")}, "one"},
		"a version":           {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(1)}, "one"},
		"a version and stage": {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(1), VersionStage: aws.String("AWSPREVIOUS")}, "one"},
		"that do not agree":   {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(1), VersionStage: aws.String("AWSCURRENT")}, "InvalidRequestException"},
		"an unknown version":  {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: token(9)}, "ResourceNotFoundException"},
		"an unknown stage":    {secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("x")}, "ResourceNotFoundException"},
		"an unknown secret":   {secretsmanager.GetSecretValueInput{SecretId: aws.String("nope")}, "ResourceNotFoundException"},
		"no secret":           {secretsmanager.GetSecretValueInput{}, "InvalidParameterException"},
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
		"no name":           {secretsmanager.CreateSecretInput{}, "InvalidParameterException"},
		"an odd name":       {secretsmanager.CreateSecretInput{Name: aws.String("a b")}, "InvalidParameterException"},
		"both values":       {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("x"), SecretBinary: []byte("x")}, "InvalidParameterException"},
		"a long value":      {secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: &long}, "InvalidParameterException"},
		"a short token":     {secretsmanager.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: aws.String("x")}, "InvalidParameterException"},
		"there already":     {secretsmanager.CreateSecretInput{Name: aws.String("there"), SecretString: aws.String("one"), ClientRequestToken: token(2)}, "ResourceExistsException"},
		"there, same token": {secretsmanager.CreateSecretInput{Name: aws.String("there"), SecretString: aws.String("two"), ClientRequestToken: token(1)}, "ResourceExistsException"},
		"tags":              {secretsmanager.CreateSecretInput{Name: aws.String("a"), Tags: []types.Tag{{}}}, "UnsupportedOperation"},
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
	b.wantCode(b.put("there", "x", 3, ""), "InvalidParameterException")
	b.wantCode(b.put("there", "x", 3, make([]string, 21)...), "InvalidParameterException")
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

func TestAFailingStoreChangesNothing(t *testing.T) {
	t.Parallel()
	for _, persist := range []bool{false, true} {
		b := newBundle(t)
		b.create("s", "one")
		b.store.persist = persist
		for name, do := range map[string]func() error{
			"put": func() error { return b.put("s", "two", 2) },
			"create": func() error {
				_, err := b.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("new"), SecretString: aws.String("x"), ClientRequestToken: token(7)})
				return err
			},
		} {
			b.store.fail = true
			err := do()
			b.wantCode(err, "InternalServiceError")
			if !errors.Is(err, errFault) {
				t.Errorf("%s: the cause is lost: %v", name, err)
			}
			b.must(do())
			b.must(do())
		}
		b.restart()
		if got := b.stages("s"); got != "AWSCURRENT=2 AWSPREVIOUS=1" {
			t.Errorf("stages %s", got)
		}
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
