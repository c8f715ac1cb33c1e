//go:build e2e

package deployed

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/e2e/scenario"
)

// ofMiniStack are permissions that functions need in MiniStack only, by what the
// names of their roles hold. On AWS a batch needs the permission of the single
// action ("Amazon SQS batch actions"), and ListMessageMoveTasks is about the queue
// that SourceArn names.
var ofMiniStack = map[string]string{
	"DeliverRole": `{"Effect":"Allow","Action":"sqs:ChangeMessageVisibilityBatch","Resource":"arn:aws:sqs:*:*:*-webhooks"}`,
	"NotifyRole": `{"Effect":"Allow","Action":["sqs:ChangeMessageVisibilityBatch","sqs:SendMessageBatch"],
		"Resource":"arn:aws:sqs:*:*:*-notifications"}`,
	"FanoutRole": `{"Effect":"Allow","Action":"sqs:ChangeMessageVisibilityBatch","Resource":"arn:aws:sqs:*:*:*-events"},
		{"Effect":"Allow","Action":"sqs:SendMessageBatch","Resource":"arn:aws:sqs:*:*:*-webhooks"}`,
	"ReportRole": `{"Effect":"Allow","Action":"sqs:ChangeMessageVisibilityBatch","Resource":"arn:aws:sqs:*:*:*-reports"},
		{"Effect":"Allow","Action":"sqs:SendMessageBatch","Resource":"arn:aws:sqs:*:*:*-notifications"}`,
	"CallbackRole": `{"Effect":"Allow","Action":"sqs:SendMessageBatch","Resource":"arn:aws:sqs:*:*:*-reports"}`,
	"EndpointsRole": `{"Effect":"Allow","Action":"sqs:SendMessageBatch",
		"Resource":["arn:aws:sqs:*:*:*-events","arn:aws:sqs:*:*:*-webhooks"]}`,
	"ReleaseRole": `{"Effect":"Allow","Action":"sqs:SendMessageBatch",
		"Resource":["arn:aws:sqs:*:*:*-webhooks","arn:aws:sqs:*:*:*-notifications"]}`,
	"ReplayRole": `{"Effect":"Allow","Action":["sqs:ChangeMessageVisibilityBatch","sqs:DeleteMessageBatch"],
		"Resource":"arn:aws:sqs:*:*:*-failures"},
		{"Effect":"Allow","Action":"sqs:SendMessageBatch",
		"Resource":["arn:aws:sqs:*:*:*-webhooks","arn:aws:sqs:*:*:*-notifications","arn:aws:sqs:*:*:*-events"]},
		{"Effect":"Allow","Action":"sqs:ListMessageMoveTasks","Resource":"*"}`,
}

// toOutcomes is what each of these that tells outcomes needs besides.
const toOutcomes = `,{"Effect":"Allow","Action":"sqs:SendMessageBatch","Resource":"arn:aws:sqs:*:*:*-outcomes"}`

// makeUpForMiniStack adds these permissions to the roles.
func makeUpForMiniStack(t *testing.T, root aws.Config) {
	t.Helper()
	client := iam.NewFromConfig(root)
	roles, err := client.ListRoles(t.Context(), &iam.ListRolesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for of, statements := range ofMiniStack {
		r := slices.IndexFunc(roles.Roles, func(r types.Role) bool { return strings.Contains(*r.RoleName, of) })
		if r < 0 {
			t.Fatalf("the stack has no %s", of)
		}
		if _, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: roles.Roles[r].RoleName,
			PolicyName:     aws.String("of-ministack"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statements + toOutcomes + `]}`)}); err != nil {
			t.Fatal(err)
		}
	}
}

// othersGetNothing tries to send to the queue, to read the secret and to call
// the API as who may not.
func othersGetNothing(t *testing.T, s *scenario.Stack, a *api, root aws.Config) {
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
		_, err = secretsmanager.NewFromConfig(config).GetSecretValue(
			t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(scenario.SecretName)})
		wantRefused(t, name+" reads the secret", err)
		wantStatus(t, a.as(signer), name, http.StatusForbidden)
	}
	unsigned(t, root)
	wantStatus(t, a.as(nil), "nobody", http.StatusForbidden)
	may := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke",` +
		`"Resource":"arn:aws:execute-api:*:*:*/*/GET/api/v1/*"}]}`
	if _, err := iam.NewFromConfig(root).PutUserPolicy(t.Context(),
		&iam.PutUserPolicyInput{UserName: &user, PolicyName: &user, PolicyDocument: &may}); err != nil {
		t.Fatal(err)
	}
	operator := a.as(credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""))
	wantStatus(t, operator, "who may look", http.StatusOK)
	if status, answer, err := operator.call(t.Context(), http.MethodPost, "/api/v1/dlq/webhook-failures/replay", "{}"); err != nil ||
		status != http.StatusForbidden {
		t.Errorf("who may only look replays: %d %s, %v", status, answer, err)
	}
}

func wantStatus(t *testing.T, a *api, who string, want int) {
	t.Helper()
	if status, answer, err := a.call(t.Context(), http.MethodGet, "/api/v1/dlq?queue=webhook-failures", ""); err != nil || status != want {
		t.Errorf("%s calls the API: %d %s, %v; want %d", who, status, answer, err, want)
	}
}

func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer {
		t.Errorf("%s: got %v, want a refusal", what, err)
	}
}

func unsigned(t *testing.T, root aws.Config) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *root.BaseEndpoint+"/",
		strings.NewReader(`{"SecretId":"`+scenario.SecretName+`"}`))
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
