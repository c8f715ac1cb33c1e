package secretserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func TestBatchGetSecretValue(t *testing.T) {
	t.Parallel()
	b := shelf(t)
	_, err := b.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("empty")})
	b.must(err)
	b.delete("/testing4/four", 7)
	for name, c := range map[string]struct {
		in   secretsmanager.BatchGetSecretValueInput
		want string // values, errors in brackets, "|" before the next page
	}{
		"ids": {secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"five", "none", "/testing4/four", "empty", "a b", "testing1/one"}},
			"five testing1/one [none ResourceNotFoundException] [/testing4/four InvalidRequestException] [empty ResourceNotFoundException] [a b " +
				"ValidationException]"},
		"a filter":  {secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{filter("name", "testing")}}, "testing1/one testing3/three"},
		"with none": {secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{filter("name", "x")}}, ""},
		"pages": {secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{filter("name", "!x")}, MaxResults: aws.Int32(3)},
			"testing1/one /testing2/two testing3/three|five [ARN of empty ResourceNotFoundException]"},
	} {
		var pages []string
		for {
			out, err := b.BatchGetSecretValue(t.Context(), &c.in)
			b.must(err)
			var list []string
			for _, v := range out.SecretValues {
				if *v.Name != *v.SecretString || *v.VersionId != *token(1) || v.VersionStages[0] != "AWSCURRENT" || v.CreatedDate == nil {
					t.Errorf("%s: %+v", name, v)
				}
				list = append(list, *v.Name)
			}
			for _, e := range out.Errors {
				id := *e.SecretId
				if strings.HasPrefix(id, "arn:") {
					id = "ARN of " + strings.Split(strings.Split(id, ":")[6], "-")[0]
				}
				list = append(list, "["+id+" "+*e.ErrorCode+"]")
			}
			pages = append(pages, strings.Join(list, " "))
			if c.in.NextToken = out.NextToken; out.NextToken == nil {
				break
			}
		}
		if got := strings.Join(pages, "|"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	named := []types.Filter{filter("name", "x")}
	for name, c := range map[string]struct {
		in   secretsmanager.BatchGetSecretValueInput
		code string
	}{
		"nothing": {secretsmanager.BatchGetSecretValueInput{}, "InvalidParameterException"},
		"both": {secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"x"}, Filters: named},
			"InvalidParameterException"},
		"21": {secretsmanager.BatchGetSecretValueInput{SecretIdList: many("x", 21)}, "ValidationException"},
		"a list with a length": {secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"x"}, MaxResults: aws.Int32(1)},
			"InvalidParameterException"},
		"a list with a token": {secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"x"}, NextToken: aws.String("x")},
			"InvalidNextTokenException"},
		"a long page":   {secretsmanager.BatchGetSecretValueInput{Filters: named, MaxResults: aws.Int32(21)}, "ValidationException"},
		"an odd filter": {secretsmanager.BatchGetSecretValueInput{Filters: []types.Filter{filter("x", "y")}}, "ValidationException"},
	} {
		_, err := b.BatchGetSecretValue(t.Context(), &c.in)
		t.Run(name, func(t *testing.T) { (&bundle{t: t}).wantCode(err, c.code) })
	}
	out, err := b.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: many("x", 20)})
	b.must(err)
	if len(out.Errors) != 20 {
		t.Errorf("%d errors", len(out.Errors))
	}
}

func TestTheDayOfTheLastReadIsKept(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "one")
	accessed := func() *time.Time {
		d, err := b.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("s")})
		b.must(err)
		return d.LastAccessedDate
	}
	if at := accessed(); at != nil {
		t.Errorf("never read, and yet %v", at)
	}
	for range 2 {
		_, err := b.get("s")
		b.must(err)
		b.restart()
		if at := accessed(); at == nil || !at.Equal(b.now.Truncate(day)) {
			t.Errorf("read at %v, on %v", b.now, at)
		}
		b.now = b.now.Add(day)
	}
}

// A partial ARN that ends like a complete one is taken for one ("Troubleshoot
// AWS Secrets Manager").
func TestNamesThatEndLikeAnARN(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	arn := b.create("key-a1b2c3", "one")
	for id, found := range map[string]bool{arn: true, "key-a1b2c3": true, arn[:len(arn)-7]: false} {
		if _, err := b.get(id); (err == nil) != found {
			t.Errorf("%s: %v", id, err)
		}
	}
}
