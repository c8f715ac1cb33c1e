package channel

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSaid(t *testing.T) {
	t.Parallel()
	const secret = `p@ss "wörd"/+1`
	for name, answer := range map[string]string{
		"as it is":          "wrong: " + secret + "!",
		"twice":             secret + secret,
		"in a query":        "?token=" + url.QueryEscape(secret) + "&x",
		"in a path":         "/services/" + url.PathEscape(secret),
		"in JSON":           `{"token":"p@ss \"wörd\"/+1"}`,
		"in HTML":           "<p>p@ss &#34;wörd&#34;/+1</p>",
		"base64":            base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 for URLs":   base64.URLEncoding.EncodeToString([]byte(secret)),
		"basic":             "sent Basic " + base64.StdEncoding.EncodeToString([]byte("AC1:"+secret)),
		"PLAIN":             base64.StdEncoding.EncodeToString([]byte("\x00ann@acme.test\x00" + secret)),
		"base64 in between": base64.StdEncoding.EncodeToString([]byte("ab" + secret + "cdef")),
		"cut by the limit":  strings.Repeat("x", 1020) + secret,
	} {
		got := Said(answer, "", secret)
		if strings.Contains(got, "ss") && name != "cut by the limit" || strings.Contains(got, "wö") || len(got) > 1024 ||
			name != "cut by the limit" && !strings.Contains(got, "[secret]") {
			t.Errorf("%s: %q", name, got)
		}
		for from := range 3 { // nor what is left decodes to a part of it
			plain, _ := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(got, "=", "")[min(from, len(got)):])
			if strings.Contains(string(plain), "p@ss") || strings.Contains(string(plain), "wörd") {
				t.Errorf("%s: %q tells %q", name, got, plain)
			}
		}
	}
	if got := Said(strings.Repeat("e", 60<<10), "e", "e", "ee"); len(got) > maxSaid || !strings.HasPrefix(got, "[secret][secret]") {
		t.Errorf("a short secret: %q", got)
	}
	for answer, want := range map[string]string{
		"nothing of it":  "nothing of it",
		"not \xff UTF-8": "not \uFFFD UTF-8",
		"The Canonical String was 'POST\nx-amz-security-token:IQoJb3JpZ2lu\nhost:x'": "The Canonical String was 'POST\n" +
			"x-amz-security-token:[secret]\nhost:x'",
		"Authorization=AWS4-HMAC-SHA256 Credential=AKID/x, Signature=0abc": "Authorization=[secret] Credential=[secret], Signature=[secret]",
		"Authorization: Bearer xoxb-1 and Basic QUMxOg==":                  "Authorization: Bearer [secret] and Basic [secret]",
	} {
		if got := Said(answer); got != want {
			t.Errorf("%q: got %q, want %q", answer, got, want)
		}
	}
}

// FuzzSaid: whatever is around it, a secret does not come through.
func FuzzSaid(f *testing.F) {
	f.Add("wrong password ", "hush-hush-1", " here")
	f.Add("\xff", "AAAA", "A")
	f.Add(strings.Repeat("å", 600), `a"b\c`, "")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < 6 || !utf8.ValidString(secret) || strings.Contains(hidden, secret) {
			t.Skip()
		}
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
			got := Said(before+form+after, secret)
			if strings.Contains(got, form) || len(got) > maxSaid || !utf8.ValidString(got) {
				t.Errorf("%q tells %q", got, form)
			}
		}
	})
}
