package webhook

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// decodeHeaders reads the custom headers out of a valid JSON value.
func decodeHeaders(value jsontext.Value) (headers http.Header, problem string) {
	if kind := value.Kind(); kind != jsontext.KindBeginObject {
		return nil, "must be an object of strings, not " + message.KindName(kind)
	}
	// The errors are of no interest: value has been read once already.
	dec := new(reader).over(value)
	_, _ = dec.ReadToken()
	headers = http.Header{}
	for dec.PeekKind() == jsontext.KindString {
		raw, _ := dec.ReadValue()
		unquoted, _ := unquote(raw)
		name := string(unquoted)
		value, _ := dec.ReadValue()
		text, problem := (&parsing{}).text(value)
		if problem != "" {
			return nil, quoted(name) + " " + problem
		}
		if problem := addHeader(headers, name, text); problem != "" {
			return nil, problem
		}
	}
	return headers, ""
}

// addHeader adds a custom header to others, or says which one is wrong, and how.
func addHeader(headers http.Header, name, value string) (problem string) {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	if problem = checkHeader(name, value); problem == "" && headers[canonical] != nil {
		problem = "appears more than once (case does not matter)"
	}
	if problem != "" {
		return quoted(name) + " " + problem
	}
	headers[canonical] = []string{value}
	return ""
}

func quoted(name string) string { return strconv.Quote(message.Shorten(name, 64)) }

// checkHeader says what is wrong with a custom header.
func checkHeader(name, value string) string {
	switch {
	case name == "" || !message.OnlyOf(name, "!#$%&'*+-.^_`|~"): // RFC 9110, section 5.6.2: token
		return "is not a header name"
	case reserved(strings.ToLower(name)):
		return "may not be set: it is Efferent's, or the connection's"
	case message.HasControl(strings.ReplaceAll(value, "\t", "")):
		return "has a line break or another control character in its value"
	}
	return ""
}

// CheckHeader says what is wrong with a header that an endpoint is to get besides
// Efferent's; "" where nothing is. It never quotes the value.
func CheckHeader(name, value string) string { return checkHeader(name, value) }

// reserved reports whether a header (in lower case) is not the producer's to
// set: what Efferent signs or fills in, and what concerns the connection.
func reserved(name string) bool {
	return strings.HasPrefix(name, "webhook-") || strings.HasPrefix(name, "x-webhook-") || ofConnection(name)
}

// ofConnection reports whether a header (in lower case) concerns the connection
// (RFC 9110, section 7.6.1), how the exchange runs on it, or the content's form.
func ofConnection(name string) bool {
	if strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "proxy-") {
		return true
	}
	switch name {
	case "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "http2-settings":
		return true
	}
	return false
}
