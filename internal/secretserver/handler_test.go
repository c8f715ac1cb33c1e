package secretserver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/secretserver"
)

func TestTheSDKsClient(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	server := httptest.NewServer(secretserver.NewHandler(b.Server))
	t.Cleanup(server.Close)
	c := secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	})
	ctx := t.Context()
	made, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("wh<&>é")})
	b.must(err)
	put, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretBinary: []byte{0, 255}})
	b.must(err)
	if len(put.VersionStages) != 1 || put.VersionStages[0] != "AWSCURRENT" {
		t.Errorf("put %+v", put)
	}
	got, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	b.must(err)
	if string(got.SecretBinary) != "\x00\xff" || !got.CreatedDate.Equal(b.now) || *got.VersionId != *put.VersionId {
		t.Errorf("got %+v", got)
	}
	got, err = c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s"), VersionStage: aws.String("AWSPREVIOUS")})
	b.must(err)
	if *got.SecretString != "wh<&>é" {
		t.Errorf("got %+v", got)
	}
	_, err = c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: aws.String("s"), Description: aws.String("d")})
	b.must(err)
	d, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String("s")})
	b.must(err)
	if len(d.VersionIdsToStages) != 2 || *d.Description != "d" {
		t.Errorf("described %+v", d)
	}
	_, err = c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("nope")})
	if e := new(types.ResourceNotFoundException); !errors.As(err, &e) || e.Message == nil {
		t.Errorf("error %v", err)
	}
	_, err = c.ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	b.wantCode(err, "UnsupportedOperation")
}

func FuzzRequest(f *testing.F) {
	f.Add("CreateSecret", `{"Name":"a","SecretBinary":"AAE="}`)
	f.Add("PutSecretValue", `{"SecretId":"s","SecretString":"x","VersionStages":["AWSPREVIOUS","x","x"]}`)
	f.Add("GetSecretValue", `{"SecretId":"arn:aws:secretsmanager:us-east-1:000000000000:secret:s"}`)
	f.Add("UpdateSecret", `{"SecretId":"s","SecretString":"x","ClientRequestToken":"00000000000000000000000000000001"}`)
	f.Add("DescribeSecret", `{"SecretId":""}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		b := newBundle(t)
		b.create("s", "one")
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "secretsmanager."+operation)
		w := httptest.NewRecorder()
		secretserver.NewHandler(b.Server).ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if got := b.stages("s"); strings.Count(got, "AWSCURRENT=") != 1 {
			t.Fatalf("stages %s", got)
		}
	})
}
