package webhook

import (
	"regexp"
	"strings"
	"unicode"
)

// mistaken are texts that stand where a secret belongs, by how they begin, in
// lower case.
var mistaken = []struct{ prefix, why string }{
	{"v1,", "it is a signature, or has a signature's prefix; put the secret itself, without v1,"},
	{"v1a,", "it is a signature, or has a signature's prefix; put the secret itself, without v1a,"},
	{"sha256=", "it is a signature; put the secret that made it"},
	{"webhook-signature:", "it is a header with a signature; put the secret that made it"},
	{"x-webhook-signature:", "it is a header with a signature; put the secret that made it"},
	{"authorization:", "it is a header; put the secret alone"},
	{"bearer ", "put it without the word before it"},
	{"basic ", "put it without the word before it"},
	{"-----begin", "it is a PEM file; put an ed25519 key as " + privatePrefix + " and the base64 of its 32 or 64 bytes"},
	{"arn:aws", "it is an ARN; put the secret's value"},
	{SecretPrefix, "it is the name of a secret; put its value"},
	{"http://", "it is a URL"},
	{"https://", "it is a URL"},
}

// standardPrefix finds a Standard Webhooks prefix as it is written, or nearly.
var standardPrefix = regexp.MustCompile(`(?i)wh(sec|sk|pk)[-_:.=]`)

// misplaced says why a text can't be meant as a secret, though its bytes would
// sign: nobody could verify that. It is "" where it can. It never quotes it.
func misplaced(s string) string {
	if s == "" {
		return "it is empty"
	}
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, m := range mistaken {
		if strings.HasPrefix(lower, m.prefix) {
			return m.why
		}
	}
	if isJSON(s) {
		return "it is JSON; name one key of it, as in NAME#KEY"
	}
	if why := unseen(s); why != "" {
		return why
	}
	if first := s[0]; len(s) > 1 && strings.IndexByte("\"'`", first) >= 0 && s[len(s)-1] == first {
		return "there are quotes around it; put it without them"
	}
	if at := standardPrefix.FindStringIndex(s); at != nil {
		switch prefix := s[at[0]:at[1]]; {
		case prefix != sharedPrefix && prefix != privatePrefix && prefix != publicPrefix:
			return "it has a prefix that is nearly one of Standard Webhooks'; they are " + sharedPrefix + " and " + privatePrefix
		case at[0] > 0 || standardPrefix.MatchString(s[at[1]:]):
			return prefix + " does not begin it, or is there twice; put what begins with it, and nothing before that"
		}
	}
	return ""
}

// isJSON reports whether s is an object or an array, or was meant as one.
func isJSON(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 1 && (s[0] == '{' && s[len(s)-1] == '}' || s[0] == '[' && s[len(s)-1] == ']')
}

// unseen finds what a person who copies a secret does not see.
func unseen(s string) string {
	switch {
	case strings.ContainsAny(s, "\r\n"):
		return "there is a line break in it; put it without"
	case strings.TrimSpace(s) != s:
		return "there is space around it; put it without"
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "there is a character in it that can't be seen; put it without"
	}
	return ""
}
