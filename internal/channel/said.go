package channel

import (
	"encoding/base64"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/message"
)

const (
	// maxSaid is how much of a provider's answer an outcome keeps, in bytes.
	maxSaid = 1 << 10
	hidden  = "[secret]"
	// shortest is the fewest characters of base64 that are taken for a secret
	// inside of something longer.
	shortest = 4
)

// Said is what a provider answered, as an Outcome keeps it: the first KiB of
// valid UTF-8, with each of the secrets hidden, whether it stands there as it
// is, escaped, or in base64, alone or as a part of something longer.
func Said(answer string, secrets ...string) string {
	answer = strings.ToValidUTF8(answer, "\uFFFD")
	var forms []string
	for _, s := range secrets {
		if s != "" {
			forms = append(forms, formsOf(s)...)
		}
	}
	// The longest first: a short one may be a part of it.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	answer = strings.NewReplacer(pairs...).Replace(answer)
	answer = credentials.ReplaceAllString(answer, "${1}"+hidden)
	return message.Shorten(answer, maxSaid)
}

// credentials are what AWS quotes of a request whose signature it refuses, and
// any server of one's headers.
var credentials = regexp.MustCompile(`(?i)(\b(?:bearer|basic) +|` +
	`\b(?:signature|credential|x-amz-security-token|authorization)"?[ \t]*[:=][ \t]*"?(?:(?:bearer|basic) +)?)[^\s,&"';]+`)

// formsOf are the ways in which an answer may quote a secret.
func formsOf(secret string) []string {
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), strings.ReplaceAll(secret, "/", `\/`),
	}
	if quoted, err := json.Marshal(secret); err == nil {
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(secret)))
		// Inside of something longer it may begin at any of a group's three
		// bytes; its first and last characters depend on what is beside it.
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			from, to := []int{0, 2, 3}[before], (before+len(secret))*8/6
			if to-from >= shortest {
				forms = append(forms, text[from:to])
			}
		}
	}
	return forms
}
