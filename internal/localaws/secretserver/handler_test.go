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

	"github.com/efferent/efferent/internal/localaws/secretserver"
)

// client is the SDK's own, on b over HTTP.
func (b *bundle) client() *secretsmanager.Client {
	server := httptest.NewServer(secretserver.NewHandler(b.Server))
	b.t.Cleanup(server.Close)
	return secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	})
}

func TestTheSDKsClient(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	c, ctx, id := b.client(), t.Context(), aws.String("s")
	made, err := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: id, SecretString: aws.String("wh<&>é"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	b.must(err)
	put, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretBinary: []byte{0, 255}})
	b.must(err)
	if len(put.VersionStages) != 1 || put.VersionStages[0] != "AWSCURRENT" {
		t.Errorf("put %+v", put)
	}
	got, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	b.must(err)
	if string(got.SecretBinary) != "\x00\xff" || !got.CreatedDate.Equal(b.now) || *got.VersionId != *put.VersionId {
		t.Errorf("got %+v", got)
	}
	_, err = c.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: id, VersionStage: aws.String("AWSCURRENT"),
		RemoveFromVersionId: put.VersionId, MoveToVersionId: made.VersionId})
	b.must(err)
	batch, err := c.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"s", "none"}})
	b.must(err)
	if len(batch.SecretValues) != 1 || *batch.SecretValues[0].SecretString != "wh<&>é" || len(batch.Errors) != 1 ||
		*batch.Errors[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("batch %+v", batch)
	}
	_, err = c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: id, Description: aws.String("d")})
	b.must(err)
	_, err = c.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: id, TagKeys: []string{"k"}})
	b.must(err)
	_, err = c.TagResource(ctx, &secretsmanager.TagResourceInput{
		SecretId: id, Tags: []types.Tag{{Key: aws.String("l"), Value: aws.String("w")}}})
	b.must(err)
	d, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: id})
	b.must(err)
	if len(d.VersionIdsToStages) != 2 || *d.Description != "d" || len(d.Tags) != 1 || *d.Tags[0].Key != "l" ||
		!d.LastAccessedDate.Equal(b.now.Truncate(day)) {
		t.Errorf("described %+v", d)
	}
	_, err = c.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: id})
	b.must(err)
	_, err = c.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: id})
	b.must(err)
	password, err := c.GetRandomPassword(ctx, &secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(20)})
	b.must(err)
	if len(*password.RandomPassword) != 20 {
		t.Errorf("a password of %d", len(*password.RandomPassword))
	}
}

func TestTheSDKsPaginators(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for _, name := range many("s", 30) {
		b.create(name, name)
	}
	for n := 2; n < 30; n++ {
		b.must(b.put("s0", "x", n))
	}
	c, ctx, n := b.client(), t.Context(), 0
	for p := secretsmanager.NewListSecretsPaginator(c, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(7)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		b.must(err)
		n += len(page.SecretList)
	}
	for p := secretsmanager.NewBatchGetSecretValuePaginator(c,
		&secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{filter("name", "s")}}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		b.must(err)
		n += len(page.SecretValues)
	}
	for p := secretsmanager.NewListSecretVersionIdsPaginator(c, &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("s0"),
		IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(7)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		b.must(err)
		n += len(page.Versions)
	}
	if n != 30+30+29 {
		t.Errorf("%d entries", n)
	}
}

func TestTheSDKKnowsTheErrors(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	b.create("deleted", "one")
	b.delete("deleted", 7)
	b.must(b.put("s", "x", 2, many("stage", 19)...))
	c, ctx, id := b.client(), t.Context(), aws.String("s")
	_, missing := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("none")})
	_, there := c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: id, SecretString: aws.String("x")})
	_, reused := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: id, SecretString: aws.String("y"), ClientRequestToken: token(2)})
	_, deleted := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("deleted")})
	_, window := c.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(1)})
	_, next := c.ListSecrets(ctx, &secretsmanager.ListSecretsInput{NextToken: aws.String("x")})
	_, labels := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: id, SecretString: aws.String("y"), VersionStages: []string{"more"}})
	b.store.fail = true
	_, failed := c.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: id, Tags: []types.Tag{{Key: aws.String("k")}}})
	for err, as := range map[error]any{
		missing: new(*types.ResourceNotFoundException), there: new(*types.ResourceExistsException), reused: new(*types.ResourceExistsException),
		deleted: new(*types.InvalidRequestException), window: new(*types.InvalidParameterException), next: new(*types.InvalidNextTokenException),
		labels: new(*types.LimitExceededException), failed: new(*types.InternalServiceError),
	} {
		if !errors.As(err, as) {
			t.Errorf("%v is no %T", err, as)
		}
	}
	_, err := c.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: id})
	b.wantCode(err, "UnsupportedOperation")
	if !strings.Contains(err.Error(), "RotateSecret (rotation schedules) is not supported") {
		t.Errorf("error %v", err)
	}
}

func TestTheTokenIsRequired(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	for operation, body := range map[string]string{
		"CreateSecret":   `{"Name":"t","SecretString":"x"}`,
		"PutSecretValue": `{"SecretId":"s","SecretString":"x"}`,
		"UpdateSecret":   `{"SecretId":"s","SecretString":"x","ClientRequestToken":""}`,
	} {
		w := b.post(operation, body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"__type":"InvalidRequestException"`) {
			t.Errorf("%s: %d %s", operation, w.Code, w.Body)
		}
	}
}

func TestValuesAreKeptOutOfErrors(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	const token, value = `"ClientRequestToken":"00000000000000000000000000000001"`, "whsec_topsecret"
	for name, body := range map[string]string{
		"a reused token":   `{"SecretId":"s","SecretString":"` + value + `",` + token + `}`,
		"not base64":       `{"SecretId":"s","SecretBinary":"` + value + `!",` + token + `}`,
		"an odd type":      `{"SecretId":"s","SecretString":["` + value + `"],` + token + `}`,
		"odd stages":       `{"SecretId":"s","VersionStages":"` + value + `",` + token + `}`,
		"not JSON":         `{"SecretId":"s","SecretString":"` + value + `\x",` + token + `}`,
		"a long value":     `{"SecretId":"s","SecretString":"` + strings.Repeat(value, 6000) + `",` + token + `}`,
		"given twice":      `{"SecretId":"s","SecretString":"x","SecretString":"` + value + `",` + token + `}`,
		"both at a time":   `{"SecretId":"s","SecretString":"` + value + `","SecretBinary":"AAAA",` + token + `}`,
		"too long to read": `{"SecretId":"s","SecretString":"` + strings.Repeat(value, 60000) + `",` + token + `}`,
	} {
		if w := b.post("PutSecretValue", body); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "topsecret") {
			t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
		}
	}
}

// post is a request without an SDK.
func (b *bundle) post(operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "secretsmanager."+operation)
	w := httptest.NewRecorder()
	secretserver.NewHandler(b.Server).ServeHTTP(w, r)
	return w
}

func FuzzRequest(f *testing.F) {
	const withToken = `"ClientRequestToken":"00000000000000000000000000000002"`
	for operation, body := range map[string]string{
		"CreateSecret":        `{"Name":"a","SecretBinary":"AAE=","Tags":[{"Key":"a","Value":"b"}],` + withToken + `}`,
		"PutSecretValue":      `{"SecretId":"s","SecretString":"x","VersionStages":["AWSPREVIOUS","x","x"],` + withToken + `}`,
		"GetSecretValue":      `{"SecretId":"arn:aws:secretsmanager:us-east-1:000000000000:secret:s"}`,
		"UpdateSecret":        `{"SecretId":"s","SecretString":"x",` + withToken + `}`,
		"DescribeSecret":      `{"SecretId":""}`,
		"BatchGetSecretValue": `{"SecretIdList":["s","x"],"MaxResults":1}`,
		"ListSecrets": `{"Filters":[{"Key":"all","Values":["!s"]}],"MaxResults":1,` +
			`"NextToken":"eyJBdCI6IjIwMjYtMTEtMjRUMTI6MDA6MDBaIiwiTmFtZSI6InMifQ","SortBy":"name"}`,
		"ListSecretVersionIds":     `{"SecretId":"s","IncludeDeprecated":true,"NextToken":"e30"}`,
		"UpdateSecretVersionStage": `{"SecretId":"s","VersionStage":"AWSCURRENT","RemoveFromVersionId":"00000000000000000000000000000001"}`,
		"DeleteSecret":             `{"SecretId":"s","RecoveryWindowInDays":7}`,
		"TagResource":              `{"SecretId":"s","Tags":[{}]}`,
		"GetRandomPassword":        `{"PasswordLength":8,"ExcludeCharacters":"é\u0000a"}`,
	} {
		f.Add(operation, body)
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		b := newBundle(t)
		b.create("s", "one")
		if w := b.post(operation, body); w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if operation == "DeleteSecret" {
			return
		}
		if got := b.stages("s"); strings.Count(got, "AWSCURRENT=") != 1 {
			t.Fatalf("stages %s", got)
		}
	})
}
