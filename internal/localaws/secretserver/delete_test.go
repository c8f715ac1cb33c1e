package secretserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

const day = 24 * time.Hour

func (b *bundle) delete(id string, days int64) *secretsmanager.DeleteSecretOutput {
	b.t.Helper()
	out, err := b.DeleteSecret(b.t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &id, RecoveryWindowInDays: &days})
	b.must(err)
	return out
}

func (b *bundle) get(id string) (string, error) {
	out, err := b.GetSecretValue(b.t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", err
	}
	return *out.SecretString, nil
}

func (b *bundle) restore(id string) error {
	_, err := b.RestoreSecret(b.t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &id})
	return err
}

func TestAScheduledDeletion(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	arn := b.create("s", "one")
	if out := b.delete("s", 7); !out.DeletionDate.Equal(b.now.Add(7*day)) || *out.ARN != arn || *out.Name != "s" {
		t.Errorf("deleted %+v", out)
	}
	b.restart()
	b.now = b.now.Add(7*day - 1)
	ctx, id := t.Context(), aws.String("s")
	for name, do := range map[string]func() error{
		"get": func() error { _, err := b.get("s"); return err },
		"put": func() error { return b.put("s", "two", 2) },
		"create": func() error {
			_, err := b.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: id, SecretString: aws.String("one"), ClientRequestToken: token(1)})
			return err
		},
		"update": func() error {
			_, err := b.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: id})
			return err
		},
		"move": func() error { return b.move("s", "x", nil, token(1)) },
		"tag": func() error {
			_, err := b.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: id, Tags: []types.Tag{{Key: aws.String("k")}}})
			return err
		},
		"untag": func() error {
			_, err := b.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: id, TagKeys: []string{"k"}})
			return err
		},
		"delete": func() error {
			_, err := b.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: id})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { (&bundle{t: t}).wantCode(do(), "InvalidRequestException") })
	}
	d, err := b.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: id})
	b.must(err)
	if d.DeletedDate == nil || !d.DeletedDate.Equal(b.now.Add(1)) {
		t.Errorf("described %+v", d)
	}
	b.must(b.restore("s"))
	b.must(b.restore("s"))
	b.restart()
	b.now = b.now.Add(day)
	if got, err := b.get(arn); got != "one" || err != nil {
		t.Errorf("restored: %q, %v", got, err)
	}
}

func TestTheRecoveryWindowEnds(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"while it runs": false, "while it is stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			arn := b.create("s", "one")
			out, err := b.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &arn})
			b.must(err)
			if !out.DeletionDate.Equal(b.now.Add(30 * day)) {
				t.Errorf("deletion date %v", out.DeletionDate)
			}
			b.now = b.now.Add(30 * day)
			if restart {
				b.restart()
				if len(b.store.kept) > 0 {
					t.Error("it is still kept")
				}
			} else if b.must(b.Sweep(t.Context())); len(b.store.kept) > 0 {
				t.Error("it is still kept, and nobody asked for it")
			}
			_, err = b.get("s")
			b.wantCode(err, "ResourceNotFoundException")
			b.wantCode(b.restore("s"), "ResourceNotFoundException")
			if names := b.list(secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)}); names != "" {
				t.Errorf("listed %s", names)
			}
			if again := b.create("s", "another"); again == arn {
				t.Error("the new secret has the old ARN")
			}
			_, err = b.get(arn)
			b.wantCode(err, "ResourceNotFoundException")
			b.restart()
			if got, err := b.get("s"); got != "another" || err != nil {
				t.Errorf("made again: %q, %v", got, err)
			}
		})
	}
}

func TestDeleteWithoutRecovery(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	force := func(id string) *secretsmanager.DeleteSecretOutput {
		t.Helper()
		out, err := b.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &id, ForceDeleteWithoutRecovery: aws.Bool(true)})
		b.must(err)
		if !out.DeletionDate.Equal(b.now) {
			t.Errorf("deletion date %v", out.DeletionDate)
		}
		return out
	}
	arn := b.create("s", "one")
	b.delete("s", 30)
	if out := force("s"); *out.ARN != arn || *out.Name != "s" { // one that is scheduled, too
		t.Errorf("deleted %+v", out)
	}
	if len(b.store.kept) > 0 {
		t.Error("it is still kept")
	}
	if out := force("s"); *out.Name != "s" || !strings.HasPrefix(*out.ARN, arn[:len(arn)-6]) {
		t.Errorf("what is not there: %+v", out)
	}
	if out := force(arn); *out.ARN != arn {
		t.Errorf("what is not there: %+v", out)
	}
	b.create("s", "again")
}

func TestDeletionsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	for name, c := range map[string]struct {
		id    string
		days  *int64
		force *bool
		code  string
	}{
		"short":             {"s", aws.Int64(6), nil, "InvalidParameterException"},
		"long":              {"s", aws.Int64(31), nil, "InvalidParameterException"},
		"both":              {"s", aws.Int64(7), aws.Bool(true), "InvalidParameterException"},
		"not there":         {"none", nil, nil, "ResourceNotFoundException"},
		"an odd name":       {"a b", nil, aws.Bool(true), "ValidationException"},
		"not even a secret": {"", nil, aws.Bool(true), "InvalidParameterException"},
	} {
		_, err := b.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
			SecretId: &c.id, RecoveryWindowInDays: c.days, ForceDeleteWithoutRecovery: c.force})
		t.Run(name, func(t *testing.T) { (&bundle{t: t}).wantCode(err, c.code) })
	}
	_, err := b.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{
		SecretId: aws.String("s"), RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(false)})
	b.must(err)
}
