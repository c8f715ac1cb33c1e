package stsserver_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/stsserver"
)

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(stsserver.NewHandler("000000000000"))
	t.Cleanup(server.Close)
	for key, account := range map[string]string{"test": "000000000000", "123456789012": "123456789012"} {
		client := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(key, "secret", "")})
		got, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if *got.Account != account || *got.UserId != account || *got.Arn != "arn:aws:iam::"+account+":root" {
			t.Errorf("%s: %s, %s, %s", key, *got.Account, *got.UserId, *got.Arn)
		}
		_, err = client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/r"),
			RoleSessionName: aws.String("session")})
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "InvalidAction" {
			t.Errorf("AssumeRole: %v", err)
		}
	}
}

// The answer's form: "GetCallerIdentity" in the API reference, Examples.
func TestTheAnswerOfGetCallerIdentity(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	w := httptest.NewRecorder()
	stsserver.NewHandler("000000000000").ServeHTTP(w, r)
	got := regexp.MustCompile("<RequestId>[^<]+").ReplaceAllString(w.Body.String(), "<RequestId>")
	want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId>` +
		`</GetCallerIdentityResult><ResponseMetadata><RequestId></RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	if !strings.HasSuffix(got, want) || w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("got %s", got)
	}
}
