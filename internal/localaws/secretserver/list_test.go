package secretserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// list is the names of all pages, "|" between two.
func (b *bundle) list(in secretsmanager.ListSecretsInput) string {
	b.t.Helper()
	var pages []string
	for {
		out, err := b.ListSecrets(b.t.Context(), &in)
		b.must(err)
		var names []string
		for _, s := range out.SecretList {
			names = append(names, *s.Name)
		}
		pages = append(pages, strings.Join(names, " "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return strings.Join(pages, "|")
		}
	}
}

// shelf makes a few secrets, one an hour.
func shelf(t *testing.T) *bundle {
	b := newBundle(t)
	for _, s := range []struct{ name, description, tag, value string }{
		{"testing1/one", "a secret", "Team", "red"},
		{"/testing2/two", "an secret", "team", "blue"},
		{"testing3/three", "asecret", "", ""},
		{"/testing4/four", "thesecret", "", ""},
		{"five", "", "tea", "Red wine OneCoatPaint"},
	} {
		in := &secretsmanager.CreateSecretInput{Name: &s.name, Description: &s.description, SecretString: &s.name, ClientRequestToken: token(1)}
		if s.tag != "" {
			in.Tags = []types.Tag{{Key: &s.tag, Value: &s.value}}
		}
		_, err := b.CreateSecret(t.Context(), in)
		b.must(err)
		b.now = b.now.Add(time.Hour)
	}
	return b
}

func filter(key types.FilterNameStringType, values ...string) types.Filter {
	return types.Filter{Key: key, Values: values}
}

// What AWS's own service answers to many of these is in LocalStack's validated
// test test_list_secrets_filtering.
func TestFilters(t *testing.T) {
	t.Parallel()
	b := shelf(t)
	const all = "testing1/one /testing2/two testing3/three /testing4/four five"
	for name, c := range map[string]struct {
		filters []types.Filter
		want    string
	}{
		"none":                         {nil, all},
		"name":                         {[]types.Filter{filter("name", "/")}, "/testing2/two /testing4/four"},
		"not a name":                   {[]types.Filter{filter("name", "!/")}, "testing1/one testing3/three five"},
		"name, case":                   {[]types.Filter{filter("name", "Five")}, ""},
		"name, words":                  {[]types.Filter{filter("name", "testing1 one")}, ""},
		"two names":                    {[]types.Filter{filter("name", "five", "testing1")}, "testing1/one five"},
		"description":                  {[]types.Filter{filter("description", "A")}, "testing1/one /testing2/two testing3/three"},
		"not a description":            {[]types.Filter{filter("description", "!a")}, "/testing4/four five"},
		"description, words":           {[]types.Filter{filter("description", "a secret")}, "testing1/one /testing2/two"},
		"description, nothing":         {[]types.Filter{filter("description", "-")}, ""},
		"two filters":                  {[]types.Filter{filter("description", "a"), filter("name", "/")}, "/testing2/two"},
		"two that exclude the other":   {[]types.Filter{filter("description", "a"), filter("name", "secret")}, ""},
		"tag key":                      {[]types.Filter{filter("tag-key", "tea")}, "/testing2/two five"},
		"tag value":                    {[]types.Filter{filter("tag-value", "Red")}, "five"},
		"all":                          {[]types.Filter{filter("all", "RED")}, "testing1/one five"},
		"all, a name's word":           {[]types.Filter{filter("all", "thr")}, "testing3/three"},
		"all, a word before a capital": {[]types.Filter{filter("all", "Paint")}, "five"},
		"all, a word at a capital":     {[]types.Filter{filter("all", "OneCoat")}, "five"},
		"all, not inside a word":       {[]types.Filter{filter("all", "oat")}, ""},
		"all, words":                   {[]types.Filter{filter("all", "two blue")}, "/testing2/two"},
		"owning service":               {[]types.Filter{filter("owning-service", "rds")}, ""},
		"primary region":               {[]types.Filter{filter("primary-region", "us-east-1")}, ""},
	} {
		if got := b.list(secretsmanager.ListSecretsInput{Filters: c.filters}); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestOrderAndPages(t *testing.T) {
	t.Parallel()
	b := shelf(t)
	_, err := b.get("testing3/three")
	b.must(err)
	b.must(b.put("testing1/one", "x", 2))
	b.delete("/testing4/four", 7)
	for name, c := range map[string]struct {
		in   secretsmanager.ListSecretsInput
		want string
	}{
		"as they were made": {secretsmanager.ListSecretsInput{}, "testing1/one /testing2/two testing3/three five"},
		"with the deleted": {secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)},
			"testing1/one /testing2/two testing3/three /testing4/four five"},
		"newest first": {secretsmanager.ListSecretsInput{SortOrder: "desc"}, "five testing3/three /testing2/two testing1/one"},
		"by name":      {secretsmanager.ListSecretsInput{SortBy: "name"}, "/testing2/two five testing1/one testing3/three"},
		"by change": {secretsmanager.ListSecretsInput{SortBy: "last-changed-date", SortOrder: "desc"},
			"testing1/one five testing3/three /testing2/two"},
		"by access": {secretsmanager.ListSecretsInput{SortBy: "last-accessed-date", SortOrder: "desc"},
			"testing3/three testing1/one five /testing2/two"},
		"pages": {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(3)}, "testing1/one /testing2/two testing3/three|five"},
		"pages, by name": {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(2), SortBy: "name", SortOrder: "desc"},
			"testing3/three testing1/one|five /testing2/two"},
		"a whole page": {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(4)}, "testing1/one /testing2/two testing3/three five"},
		"filtered pages": {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(1), Filters: []types.Filter{filter("name", "t")}},
			"testing1/one|testing3/three"},
	} {
		if got := b.list(c.in); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	// What is deleted and made between two pages doesn't disturb the others.
	first, err := b.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(2)})
	b.must(err)
	b.delete("/testing2/two", 7)
	b.create("six", "6")
	if got := b.list(secretsmanager.ListSecretsInput{NextToken: first.NextToken}); got != "testing3/three five six" {
		t.Errorf("the second page is %s", got)
	}
}

func TestListsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := shelf(t)
	for name, c := range map[string]struct {
		in   secretsmanager.ListSecretsInput
		code string
	}{
		"a filter without key": {secretsmanager.ListSecretsInput{Filters: []types.Filter{{Values: []string{"x"}}}},
			"InvalidParameterException"},
		"a filter without values": {secretsmanager.ListSecretsInput{Filters: []types.Filter{{Key: "name"}}}, "InvalidParameterException"},
		"an unknown filter":       {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("size", "x")}}, "ValidationException"},
		"too many filters":        {secretsmanager.ListSecretsInput{Filters: make([]types.Filter, 11)}, "ValidationException"},
		"too many values": {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("name", many("x", 11)...)}},
			"ValidationException"},
		"an empty page":    {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(0)}, "ValidationException"},
		"a long page":      {secretsmanager.ListSecretsInput{MaxResults: aws.Int32(101)}, "ValidationException"},
		"an unknown order": {secretsmanager.ListSecretsInput{SortOrder: "up"}, "ValidationException"},
		"an unknown sort":  {secretsmanager.ListSecretsInput{SortBy: "size"}, "ValidationException"},
		"no token":         {secretsmanager.ListSecretsInput{NextToken: aws.String("x y")}, "InvalidNextTokenException"},
		"no token of ours": {secretsmanager.ListSecretsInput{NextToken: aws.String("eHg")}, "InvalidNextTokenException"},
	} {
		_, err := b.ListSecrets(t.Context(), &c.in)
		t.Run(name, func(t *testing.T) { (&bundle{t: t}).wantCode(err, c.code) })
	}
}

func TestListSecretVersionIds(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("s", "1")
	for n := 2; n < 5; n++ {
		b.now = b.now.Add(day)
		b.must(b.put("s", "x", n))
	}
	_, err := b.get("s")
	b.must(err)
	b.delete("s", 7) // does not hide them
	for name, c := range map[string]struct {
		in   secretsmanager.ListSecretVersionIdsInput
		want string
	}{
		"labelled": {secretsmanager.ListSecretVersionIdsInput{}, "3:AWSPREVIOUS 4:AWSCURRENT"},
		"all":      {secretsmanager.ListSecretVersionIdsInput{IncludeDeprecated: aws.Bool(true)}, "1: 2: 3:AWSPREVIOUS 4:AWSCURRENT"},
		"pages": {secretsmanager.ListSecretVersionIdsInput{IncludeDeprecated: aws.Bool(true), MaxResults: aws.Int32(3)},
			"1: 2: 3:AWSPREVIOUS|4:AWSCURRENT"},
	} {
		c.in.SecretId = aws.String("s")
		var pages []string
		for {
			out, err := b.ListSecretVersionIds(t.Context(), &c.in)
			b.must(err)
			var list []string
			for _, v := range out.Versions {
				list = append(list, strings.TrimLeft(*v.VersionId, "0")+":"+strings.Join(v.VersionStages, ","))
				if read := v.LastAccessedDate != nil; read != (*v.VersionId == *token(4)) || v.KmsKeyIds[0] != "DefaultEncryptionKey" {
					t.Errorf("version %+v", v)
				}
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
	_, err = b.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("none")})
	b.wantCode(err, "ResourceNotFoundException")
}
