package secretserver

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// The types of characters in a password ("GetRandomPassword" in the API
// reference).
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// GetRandomPassword gives a random password.
func (s *Server) GetRandomPassword(_ context.Context, in *secretsmanager.GetRandomPasswordInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.GetRandomPasswordOutput, error) {
	length := 32
	if in.PasswordLength != nil {
		length = int(max(0, min(*in.PasswordLength, 1<<20)))
	}
	if err := checkNumber("passwordLength", length, 1, 4096); err != nil {
		return nil, err
	}
	if err := checkLength("excludeCharacters", len(aws.ToString(in.ExcludeCharacters)), 0, 4096); err != nil {
		return nil, err
	}
	groups := passwordGroups(in)
	all := strings.Join(groups, "")
	if aws.ToBool(in.IncludeSpace) && !strings.Contains(aws.ToString(in.ExcludeCharacters), " ") {
		all += " "
	}
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	switch {
	case all == "":
		return nil, invalidParameter("No characters are left for the password.")
	case each && length < len(groups):
		return nil, invalidParameter("Password length is too short based on the required types.")
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: aws.String(password(length, all, groups, each))}, nil
}

// passwordGroups is the characters of each type that the request leaves in.
func passwordGroups(in *secretsmanager.GetRandomPasswordInput) (groups []string) {
	excluded := aws.ToString(in.ExcludeCharacters)
	for _, g := range []struct {
		characters string
		exclude    *bool
	}{{lowercase, in.ExcludeLowercase}, {uppercase, in.ExcludeUppercase}, {digits, in.ExcludeNumbers}, {punctuation, in.ExcludePunctuation}} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(excluded, r) {
				return -1
			}
			return r
		}, g.characters)
		if !aws.ToBool(g.exclude) && left != "" {
			groups = append(groups, left)
		}
	}
	return groups
}

func password(length int, all string, groups []string, each bool) string {
	p := make([]byte, length)
	for i := range p {
		from := all
		if each && i < len(groups) {
			from = groups[i]
		}
		p[i] = from[random(len(from))]
	}
	for i := range p { // those of each type must not stand in front
		j := i + random(length-i)
		p[i], p[j] = p[j], p[i]
	}
	return string(p)
}

// random is a number from 0 to n-1.
func random(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // "crypto/rand": the Reader never fails
	}
	return int(i.Int64())
}
