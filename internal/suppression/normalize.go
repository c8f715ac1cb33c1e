package suppression

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/efferent/efferent/internal/channel"
)

// Normalize is an address as the list has it. Two that it makes the same are the same
// to the list:
//
//   - email: in lower case throughout, the domain as in DNS (RFC 5891). A server may tell
//     "Ann@" from "ann@" (RFC 5321, section 2.4), and hardly one does: not to write to
//     somebody who wants nothing comes first. What follows a "+" and dots stay: who may
//     leave them out is each provider's own.
//   - sms: without spaces, hyphens, dots, brackets and slashes: E.164's digits are left.
//   - slack: a channel's #name in lower case; ids as they are.
//   - others: as they are.
//
// It takes any text; an address that New takes is its own fixed point.
func Normalize(on channel.Name, address string) string {
	address = strings.TrimSpace(address)
	switch on {
	case channel.Email:
		return email(address)
	case channel.SMS:
		return strings.Map(digits, address)
	case channel.Slack:
		if strings.HasPrefix(address, "#") {
			return strings.ToLower(address)
		}
	}
	return address
}

func email(address string) string {
	address = strings.ToLower(norm.NFC.String(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	domain := strings.TrimSuffix(address[at+1:], ".")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return address[:at+1] + domain
}

// digits leaves out what people write between a number's digits.
func digits(r rune) rune {
	if strings.ContainsRune(" \u00a0-.()/", r) {
		return -1
	}
	return r
}
