//go:build e2e

package deployed

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/e2e/scenario"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/ledger"
)

// roleOf lets the account's root have a function's role, and is that role.
func roleOf(t *testing.T, b *book, name string) aws.CredentialsProvider {
	t.Helper()
	client := iam.NewFromConfig(b.config)
	roles, err := client.ListRoles(t.Context(), &iam.ListRolesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles.Roles {
		if !strings.Contains(*r.RoleName, name) {
			continue
		}
		account := strings.Split(*r.Arn, ":")[4]
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` +
			`{"Service":"lambda.amazonaws.com","AWS":"arn:aws:iam::` + account + `:root"}}]}`
		if _, err := client.UpdateAssumeRolePolicy(t.Context(),
			&iam.UpdateAssumeRolePolicyInput{RoleName: r.RoleName, PolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
		out, err := sts.NewFromConfig(b.config).AssumeRole(t.Context(),
			&sts.AssumeRoleInput{RoleArn: r.Arn, RoleSessionName: aws.String("e2e")})
		if err != nil {
			t.Fatal(err)
		}
		c := out.Credentials
		return credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	}
	t.Fatalf("the stack has no role %s", name)
	return nil
}

// administrator is a user whom IAM allows everything.
func administrator(t *testing.T, b *book) aws.CredentialsProvider {
	t.Helper()
	client, user := iam.NewFromConfig(b.config), "administrator"
	everything := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &user})
	if err == nil {
		_, err = client.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &user, PolicyName: &user, PolicyDocument: &everything})
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		t.Fatal(err)
	}
	return credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
}

// act is something that somebody tries on the ledger.
type act struct {
	what string
	try  func(context.Context, *book) error
}

func put(what, output, path string) act {
	return act{"put " + what, func(ctx context.Context, b *book) error {
		return (&awss3.Objects{API: awss3.NewClient(b.config), Bucket: b.outputs[output]}).Replace(ctx, path, []byte("forged"))
	}}
}

func remove(what, output, path string) act {
	return act{"delete " + what, func(ctx context.Context, b *book) error {
		_, err := awss3.NewClient(b.config).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(b.outputs[output]), Key: &path})
		return err
	}}
}

const (
	tiles       = "LedgerBucket"
	checkpoints = "CheckpointsBucket"
)

var (
	signs = act{"sign", func(ctx context.Context, b *book) error {
		_, err := b.key.Sign(ctx, []byte("example.com/forged\n1\n"))
		return err
	}}
	readsHead = act{"read a head", func(ctx context.Context, b *book) error {
		_, err := b.Head(ctx, ledger.LaneName(0))
		return err
	}}
	movesHead = act{"move a head", func(ctx context.Context, b *book) error {
		return b.Move(ctx, "lane-forged", ledger.Head{Version: 1})
	}}
	stages = act{"stage entries", func(ctx context.Context, b *book) error {
		return b.Stage(ctx, "lane-forged", ledger.Staged{End: 1, Data: []byte("forged")})
	}}
	drops = act{"drop staged entries", func(ctx context.Context, b *book) error {
		return b.Drop(ctx, "lane-forged", []ledger.Staged{{End: 1}})
	}}
	receives = act{"receive audit messages", func(ctx context.Context, b *book) error {
		_, err := sqs.NewFromConfig(b.config).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(b.outputs["AuditQueueUrl"])})
		return err
	}}
	keepsCheckpoints = put("a checkpoint", checkpoints, "lane-forged/checkpoints/1")
	putsTiles        = put("a full tile", tiles, "lane-forged/tile/0/000")
)

// eachDoesItsOwn shows that who appends to the ledger can't sign, nor write or
// delete where checkpoints lie, and that who signs can't append. What each may
// shows that its refusals are not for want of a good key.
func eachDoesItsOwn(t *testing.T, b *book) {
	for _, who := range []struct {
		name            string
		caller          aws.CredentialsProvider
		allowed, denied []act
	}{
		{"the appender", roleOf(t, b, "AuditRole"), []act{readsHead, movesHead, stages, drops, putsTiles}, []act{
			signs, keepsCheckpoints,
			put("the newest checkpoint", checkpoints, "lane-0/checkpoint"),
			put("the newest checkpoint beside the tiles", tiles, "lane-0/checkpoint"),
			remove("a checkpoint", checkpoints, "lane-0/checkpoint"),
			remove("a tile", tiles, "lane-forged/tile/0/000"),
		}},
		{"the signer", roleOf(t, b, "CheckpointRole"), []act{readsHead, signs, keepsCheckpoints}, []act{
			movesHead, stages, drops, receives, putsTiles,
			remove("a checkpoint", checkpoints, "lane-0/checkpoint"),
			remove("a tile", tiles, "lane-forged/tile/0/000"),
		}},
		{"the sender", roleOf(t, b, "DeliverRole"), nil, []act{readsHead, movesHead, signs, keepsCheckpoints, putsTiles}},
		// The key's own policy says who signs, whatever IAM says.
		{"an administrator", administrator(t, b), []act{readsHead}, []act{signs}},
	} {
		theirs := b.as(who.caller)
		for _, a := range who.allowed {
			if err := a.try(t.Context(), theirs); err != nil {
				t.Errorf("%s can't %s: %v", who.name, a.what, err)
			}
		}
		for _, a := range who.denied {
			wantDenied(t, who.name+" tries to "+a.what, a.try(t.Context(), theirs))
		}
	}
}

// wantDenied wants an error that says that it is about permissions.
func wantDenied(t *testing.T, what string, err error) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || !strings.Contains(refused.ErrorCode(), "AccessDenied") {
		t.Errorf("%s: got %v, want that access is denied", what, err)
	}
}

// lockHolds locks the bucket of checkpoints as the template does, which MiniStack
// passes over, and shows that the signer goes on, and that nobody deletes what
// it signed.
func lockHolds(t *testing.T, s *scenario.Stack, b *book) {
	client, bucket := awss3.NewClient(b.config), aws.String(b.outputs[checkpoints])
	if _, err := client.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: bucket,
		ObjectLockConfiguration: &s3types.ObjectLockConfiguration{ObjectLockEnabled: s3types.ObjectLockEnabledEnabled,
			Rule: &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{
				Mode: s3types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)}}}}); err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	s.AwaitEmpty(t, "audit.fifo")
	b.sign(t)
	b.verify(t)
	newest, err := b.kept.Newest(t.Context(), ledger.LaneName(0))
	if err != nil {
		t.Fatal(err)
	}
	versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{
		Bucket: bucket, Prefix: aws.String("lane-0/checkpoints/")})
	if err != nil {
		t.Fatal(err)
	}
	last := versions.Versions[len(versions.Versions)-1]
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: last.Key, VersionId: last.VersionId})
	wantDenied(t, "the account's root deletes "+*last.Key, err)
	if again, err := b.kept.Newest(t.Context(), ledger.LaneName(0)); err != nil || !bytes.Equal(again, newest) {
		t.Errorf("the newest checkpoint was %s and is %s, %v", newest, again, err)
	}
}
