package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/efferent/efferent/internal/message"
)

// maxURL is the longest URL, encoded: a record and an audit entry carry it.
const maxURL = 8 << 10

// parseURL takes absolute http and https URLs. What a URL may not hold as it is
// (RFC 3986) is percent-encoded in path and query, as UTF-8, and an
// international host is put in ASCII (IDNA, UTS 46); text is the URL so
// encoded, and the very text that came where that is one already. What could
// mean two things is refused. The problem never quotes the query, which may
// hold a token.
func parseURL(s string) (text string, u *url.URL, problem string) {
	switch {
	case len(s) > maxURL:
		return "", nil, "must be at most 8 KiB long"
	case message.HasControl(s):
		return "", nil, "has a control character"
	case strings.Trim(s, " ") != s:
		return "", nil, "has a space before or after it"
	case strings.Contains(s, "#"):
		return "", nil, "must have no fragment (#)"
	}
	if text, problem = encode(s); problem != "" {
		return "", nil, problem
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", nil, "is not a URL"
	}
	if problem = checkTarget(u); problem != "" {
		return "", nil, problem
	}
	host, problem := asciiHost(u.Hostname())
	if problem != "" {
		return "", nil, problem
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	if host != u.Host {
		u.Host = host
		text = u.String()
	}
	if len(text) > maxURL {
		return "", nil, "must be at most 8 KiB long when it is percent-encoded"
	}
	return text, u, ""
}

func checkTarget(u *url.URL) string {
	port, _ := strconv.Atoi(u.Port())
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https:// (or http://)"
	case u.Hostname() == "":
		return "has no host"
	case u.User != nil:
		return "must have no user name or password"
	case u.Port() != "" && (port < 1 || port > 65535):
		return "has a port that is not between 1 and 65535"
	}
	return ""
}

// asciiHost is a host as DNS and the Host header have it: an international name
// by IDNA, an IPv6 address in brackets.
func asciiHost(host string) (ascii, problem string) {
	if strings.Contains(host, ":") {
		if addr, err := netip.ParseAddr(host); err != nil || addr.Zone() != "" {
			return "", "has a host that is neither a name nor an address"
		}
		return "[" + host + "]", ""
	}
	const inNames = "-._"
	const longest = 254 // of a name in DNS, with a dot at its end; each character takes one at least
	if utf8.RuneCountInString(host) > longest {
		return "", "has a host that is longer than names can be"
	}
	if message.OnlyOf(host, inNames) {
		return host, ""
	}
	host, err := idna.Lookup.ToASCII(host)
	if err != nil || host == "" || !message.OnlyOf(host, inNames) {
		return "", "has a host that is neither a name nor an address"
	}
	return host, ""
}

// encode percent-encodes what path and query may not hold as it is, and leaves
// what is encoded.
func encode(s string) (text, problem string) {
	start := strings.Index(s, "://") + len("://")
	if start < len("://") {
		return s, "" // no URL that we take
	}
	if path := strings.IndexAny(s[start:], "/?"); path >= 0 {
		start += path
	} else {
		return s, ""
	}
	var b []byte // s up to i, encoded; nil while that is the same
	for i := start; i < len(s); i++ {
		c := s[i]
		if c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return "", "has a % that two hexadecimal digits do not follow; % itself is written %25"
		}
		switch {
		case c != '%' && !inURL[c]:
			if b == nil {
				b = append(make([]byte, 0, len(s)+32), s[:i]...)
			}
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		case b != nil:
			b = append(b, c)
		}
	}
	if b != nil {
		return string(b), ""
	}
	return s, ""
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// inURL are the characters that path and query may hold as they are (RFC 3986,
// sections 3.3 and 3.4: pchar, / and ?).
var inURL = func() (set [256]bool) {
	for c := range set {
		set[c] = message.OnlyOf(string([]byte{byte(c)}), "-._~"+"!$&'()*+,;="+":@"+"/?")
	}
	return set
}()
