package secretserver_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// sketch is what DescribeSecret tells of a secret, or the error's text.
func (b *bundle) sketch(id string) string {
	b.t.Helper()
	d, err := b.DescribeSecret(b.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return err.Error()
	}
	tags := ""
	for _, t := range d.Tags {
		tags += *t.Key + "=" + *t.Value + " "
	}
	return fmt.Sprintln(b.stages(id), "tags", tags, d.Tags != nil, "description", aws.ToString(d.Description), "deleted", d.DeletedDate != nil,
		"changed", d.LastChangedDate.Sub(*d.CreatedDate), "accessed", d.LastAccessedDate)
}

// changes is every operation that changes something, on the secrets that
// prepared makes.
func changes(b *bundle) map[string]func() error {
	ctx, s := b.t.Context(), aws.String("s")
	return map[string]func() error{
		"create": func() error {
			_, err := b.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
				Name: aws.String("new"), SecretString: aws.String("x"), ClientRequestToken: token(7)})
			return err
		},
		"put": func() error { return b.put("s", "three", 3, "mine") },
		"update": func() error {
			_, err := b.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: s, Description: aws.String("new")})
			return err
		},
		"move": func() error {
			err := b.move("s", "AWSCURRENT", token(2), token(1))
			if e := new(types.InvalidParameterException); errors.As(err, &e) {
				return b.move("s", "AWSCURRENT", nil, token(1)) // it is there already
			}
			return err
		},
		"tag": func() error {
			_, err := b.TagResource(ctx, &secretsmanager.TagResourceInput{
				SecretId: s, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		},
		"untag": func() error {
			_, err := b.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: s, TagKeys: []string{"old"}})
			return err
		},
		"delete": func() error {
			_, err := b.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: s})
			if e := new(types.InvalidRequestException); errors.As(err, &e) {
				return nil // it is scheduled already
			}
			return err
		},
		"delete at once": func() error {
			_, err := b.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: s, ForceDeleteWithoutRecovery: aws.Bool(true)})
			return err
		},
		"restore": func() error {
			_, err := b.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: aws.String("waiting")})
			return err
		},
	}
}

func prepared(t *testing.T) *bundle {
	b := newBundle(t)
	_, err := b.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("s"), SecretString: aws.String("one"), ClientRequestToken: token(1),
		Tags: []types.Tag{{Key: aws.String("old"), Value: aws.String("1")}}})
	b.must(err)
	b.must(b.put("s", "two", 2))
	b.create("waiting", "x")
	_, err = b.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("waiting")})
	b.must(err)
	b.now = b.now.Add(time.Hour)
	return b
}

func (b *bundle) all() string { return b.sketch("s") + b.sketch("new") + b.sketch("waiting") }

func TestEveryChangeSurvivesARestart(t *testing.T) {
	t.Parallel()
	before := prepared(t).all()
	for name := range changes(newBundle(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := prepared(t)
			b.must(changes(b)[name]())
			after := b.all()
			if after == before {
				t.Fatal("nothing has changed")
			}
			b.restart()
			if got := b.all(); got != after {
				t.Errorf("after a restart\n%s, before\n%s", got, after)
			}
		})
	}
}

func TestAFailingStore(t *testing.T) {
	t.Parallel()
	before := prepared(t).all()
	for name := range changes(newBundle(t)) {
		for _, persist := range []bool{false, true} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, persisted %v, restarted %v", name, persist, restart), func(t *testing.T) {
					t.Parallel()
					b := prepared(t)
					b.store.fail, b.store.persist = true, persist
					err := changes(b)[name]()
					b.wantCode(err, "InternalServiceError")
					if !errors.Is(err, errFault) {
						t.Errorf("the cause is lost: %v", err)
					}
					if got := b.all(); got != before {
						t.Errorf("after the failure\n%s, before\n%s", got, before)
					}
					if restart {
						b.restart()
					}
					b.must(changes(b)[name]()) // repeated
					done := prepared(t)
					done.must(changes(done)[name]())
					if got, want := b.all(), done.all(); got != want {
						t.Errorf("repeated\n%s, want\n%s", got, want)
					}
				})
			}
		}
	}
}

func TestAReadDoesNotNeedTheStore(t *testing.T) {
	t.Parallel()
	b := prepared(t)
	b.store.fail = true
	v, err := b.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	b.must(err)
	if *v.SecretString != "two" {
		t.Errorf("got %s", *v.SecretString)
	}
}

func TestChangesAtTheSameTime(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "0")
	var all sync.WaitGroup
	errs := make(chan error, 100)
	for n := 2; n < 22; n++ {
		all.Go(func() { errs <- b.put("s", fmt.Sprint(n), n) })
		all.Go(func() {
			_, err := b.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
			errs <- err
		})
		all.Go(func() {
			_, err := b.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		b.must(err)
	}
	if n := len(b.store.kept["s"].Versions); n != 21 {
		t.Errorf("%d versions", n)
	}
}
