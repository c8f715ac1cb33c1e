package channel

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

const (
	// maxMailbox is of an address with a name: what fits a header's line (RFC 5322,
	// section 2.1.1) when its name is encoded.
	maxMailbox    = 320 // bytes
	mailboxWanted = "must be one email address, with or without a name, of at most 320 bytes"
	badMailboxes  = "must be an array of email addresses (strings), each once"

	// maxHeaders leaves room for those of ours: SES takes 15 (Message, in SES's API
	// reference).
	maxHeaders     = 10
	maxHeaderValue = 870 // bytes: SES's longest header, with its name
	badHeaders     = "must map names of headers to values (strings), each once"
	headersWanted  = "may have only X-… (but X-SES-…), In-Reply-To, References, Importance, Priority, Precedence, Sensitivity, Keywords, " +
		"Comments, Organization, Feedback-ID, List-Id, List-Help, List-Archive, List-Owner, List-Post and List-Subscribe"
)

// mailboxes is a field of email addresses.
func mailboxes(target func(*Notification) *[]string) field {
	return field{
		kind: jsontext.KindBeginArray, wrong: badMailboxes,
		target: func(n *Notification) any { return (*addressList)(target(n)) },
		check: func(n *Notification) string {
			for _, address := range *target(n) {
				if problem := checkMailbox(address); problem != "" {
					return "has an entry that is wrong: it " + problem
				}
			}
			return ""
		},
	}
}

type addressList []string

func (a *addressList) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	*a, err = texts(d)
	return err
}

func checkMailbox(s string) string {
	if len(s) > maxMailbox || message.HasControl(s) {
		return mailboxWanted
	}
	if a, err := mail.ParseAddress(s); err != nil || !isEmail(a.Address) {
		return mailboxWanted
	}
	return ""
}

// headers are read like any other map, but null is no value.
type headers map[string]string

func (h *headers) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	*h, err = textsByName[string](d)
	return err
}

// The headers that a producer may set: those that say something to mail programs,
// and none that says who sends what to whom, what is in the mail, or what SES
// shall do with it.
var (
	ownHeader  = regexp.MustCompile(`^[Xx]-[!-9;-~]{1,60}$`)
	sesHeader  = regexp.MustCompile(`^[Xx]-[Ss][Ee][Ss]-`)
	headerText = regexp.MustCompile(`^[ -~]{1,870}$`)

	knownHeaders = []string{
		"in-reply-to", "references", "importance", "priority", "precedence", "sensitivity", "keywords", "comments", "organization",
		"feedback-id", "list-id", "list-help", "list-archive", "list-owner", "list-post", "list-subscribe",
	}
)

func checkHeaders(n *Notification) string {
	if len(n.Headers) > maxHeaders {
		return "must be at most 10"
	}
	seen := map[string]bool{}
	for name, value := range n.Headers {
		lower := strings.ToLower(name) // which makes ASCII of a few that are not
		switch {
		case !message.OnlyASCII(name), (!ownHeader.MatchString(name) || sesHeader.MatchString(name)) && !slices.Contains(knownHeaders, lower):
			return headersWanted
		case seen[lower]:
			return "has the same name twice"
		case !headerText.MatchString(value) || strings.TrimSpace(value) != value:
			return "must have values of 1 to 870 printable ASCII characters, without spaces around them"
		}
		seen[lower] = true
	}
	return ""
}
