// Package mailbox is an email address as it goes on the wire.
package mailbox

import (
	"errors"
	"net/mail"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// The most bytes of an address and of its local part (RFC 5321, sections
// 4.5.3.1.3, without the brackets, and 4.5.3.1.1).
const (
	maxAddress = 254
	maxLocal   = 64
)

// Parse reads one address, with or without a name, and writes its domain in
// A-labels: servers that know nothing of other scripts take it. Its String is
// ASCII, the name in encoded words (RFC 2047), unless NeedsUTF8 says otherwise.
// The error never quotes the address.
func Parse(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, errors.New("must be one email address")
	}
	at := strings.LastIndexByte(a.Address, '@')
	domain, err := Host(a.Address[at+1:])
	if err != nil || strings.HasSuffix(domain, ".") { // 。 is a dot
		return nil, errors.New("must have a domain that can be a host's name")
	}
	a.Address = a.Address[:at+1] + domain
	if at > maxLocal || len(a.Address) > maxAddress {
		return nil, errors.New("must be at most 254 bytes, with 64 before the @, its domain in A-labels")
	}
	return a, nil
}

// ParseAll is Parse of each.
func ParseAll(texts []string) (all []*mail.Address, err error) {
	for _, s := range texts {
		a, err := Parse(s)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// Distinct are the addresses of all lists, in order, each once.
func Distinct(lists ...[]*mail.Address) (all []*mail.Address) {
	seen := map[string]bool{}
	for _, a := range slices.Concat(lists...) {
		if !seen[a.Address] {
			seen[a.Address] = true
			all = append(all, a)
		}
	}
	return all
}

// NeedsUTF8 reports whether an address that Parse read can be sent by SMTPUTF8
// only (RFC 6531): its local part has no form in ASCII.
func NeedsUTF8(a *mail.Address) bool { return !IsASCII(a.Address) }

// Host is a host's name in A-labels (IDNA2008 and UTS 46, not transitional:
// straße is not strasse). What is ASCII already stays as it is: an address, a
// literal, or a name that the DNS may know though it is no host's.
func Host(name string) (string, error) {
	if IsASCII(name) {
		return name, nil
	}
	return lookup.ToASCII(name)
}

// lookup is idna.Lookup, which looks at no lengths, and looks at them.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true))

// Literal is an address as it stands in place of a domain (RFC 5321, section
// 4.1.3).
func Literal(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return "[IPv6:" + a.String() + "]"
	}
	return "[" + a.String() + "]"
}

// IsASCII reports whether s needs no encoding to be sent.
func IsASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}
