package secretserver_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestGetRandomPassword(t *testing.T) {
	t.Parallel()
	const lower, upper, digits, punctuation = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789",
		"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	b, yes, no := newBundle(t), aws.Bool(true), aws.Bool(false)
	for name, c := range map[string]struct {
		in     secretsmanager.GetRandomPasswordInput
		length int
		from   string
		each   []string
	}{
		"plain": {secretsmanager.GetRandomPasswordInput{}, 32, lower + upper + digits + punctuation,
			[]string{lower, upper, digits, punctuation}},
		"four": {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, 4, lower + upper + digits + punctuation,
			[]string{lower, upper, digits, punctuation}},
		"digits": {secretsmanager.GetRandomPasswordInput{
			PasswordLength: aws.Int64(4096), ExcludeLowercase: yes, ExcludeUppercase: yes, ExcludePunctuation: yes}, 4096, digits, nil},
		"with spaces": {secretsmanager.GetRandomPasswordInput{
			PasswordLength: aws.Int64(4096), IncludeSpace: yes, ExcludeNumbers: yes, ExcludePunctuation: yes}, 4096, lower + upper + " ",
			[]string{lower, upper, " "}},
		"without some": {secretsmanager.GetRandomPasswordInput{
			PasswordLength: aws.Int64(4096), ExcludeCharacters: aws.String(digits + "aA! "), IncludeSpace: yes}, 4096,
			lower[1:] + upper[1:] + punctuation[1:], nil},
		"not of every type": {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(1), RequireEachIncludedType: no}, 1,
			lower + upper + digits + punctuation, nil},
	} {
		out, err := b.GetRandomPassword(t.Context(), &c.in)
		b.must(err)
		p := *out.RandomPassword
		if len(p) != c.length || strings.Trim(p, c.from) != "" {
			t.Errorf("%s: %d characters: %s", name, len(p), p)
		}
		for _, group := range c.each {
			if !strings.ContainsAny(p, group) {
				t.Errorf("%s: nothing of %s in %s", name, group, p)
			}
		}
	}
	for name, c := range map[string]struct {
		in   secretsmanager.GetRandomPasswordInput
		code string
	}{
		"empty":     {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(0)}, "ValidationException"},
		"long":      {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(1<<32 + 8)}, "ValidationException"},
		"too short": {secretsmanager.GetRandomPasswordInput{PasswordLength: aws.Int64(3)}, "InvalidParameterException"},
		"nothing": {secretsmanager.GetRandomPasswordInput{ExcludeLowercase: yes, ExcludeUppercase: yes, ExcludeNumbers: yes,
			ExcludeCharacters: aws.String(punctuation)}, "InvalidParameterException"},
	} {
		_, err := b.GetRandomPassword(t.Context(), &c.in)
		t.Run(name, func(t *testing.T) { (&bundle{t: t}).wantCode(err, c.code) })
	}
}
