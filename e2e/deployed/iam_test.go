//go:build e2e

package deployed

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/e2e/scenario"
)

// othersGetNothing tries to send to the queue and to read the secret as who
// may not.
func othersGetNothing(t *testing.T, s *scenario.Stack, root aws.Config) {
	user := "nobody"
	if _, err := iam.NewFromConfig(root).CreateUser(t.Context(), &iam.CreateUserInput{UserName: &user}); err != nil {
		t.Fatal(err)
	}
	key, err := iam.NewFromConfig(root).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		t.Fatal(err)
	}
	url := s.QueueURL(t, "webhooks")
	for name, signer := range map[string]aws.CredentialsProvider{
		"a user without permissions": credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""),
		"a wrong signature":          credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, "wrong", ""),
		"an unknown key":             credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wrong", ""),
	} {
		config := root.Copy()
		config.Credentials = signer
		_, err := sqs.NewFromConfig(config).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("{}")})
		wantRefused(t, name+" sends", err)
		_, err = secretsmanager.NewFromConfig(config).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(scenario.SecretName)})
		wantRefused(t, name+" reads the secret", err)
	}
	unsigned(t, root)
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer {
		t.Errorf("%s: got %v, want a refusal", what, err)
	}
}

func unsigned(t *testing.T, root aws.Config) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *root.BaseEndpoint+"/", strings.NewReader(`{"SecretId":"`+scenario.SecretName+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := root.HTTPClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("an unsigned request was answered %s", resp.Status)
	}
}
