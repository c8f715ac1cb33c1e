package mailbox

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		utf8     bool
	}{
		{"ann@acme.test", "<ann@acme.test>", false},
		{"Ann <ann@acme.test>", `"Ann" <ann@acme.test>`, false},
		{"Ann Ö <ann@acme.test>", "=?utf-8?q?Ann_=C3=96?= <ann@acme.test>", false},
		{"ann@ACME_1.test", "<ann@ACME_1.test>", false},
		{"ann@[192.0.2.1]", "<ann@[192.0.2.1]>", false},
		{"ann@xn--bcher-kva.test", "<ann@xn--bcher-kva.test>", false},
		{"ann@bücher.test", "<ann@xn--bcher-kva.test>", false},
		{"ann@Bücher.Test", "<ann@xn--bcher-kva.test>", false},
		{"ann@bu\u0308cher.test", "<ann@xn--bcher-kva.test>", false}, // not composed
		{"ann@bücher。test", "<ann@xn--bcher-kva.test>", false},
		{"ann@straße.test", "<ann@xn--strae-oqa.test>", false},
		{"änn@bücher.test", "<änn@xn--bcher-kva.test>", true},
	} {
		a, err := Parse(c.in)
		if err != nil || a.String() != c.want || NeedsUTF8(a) != c.utf8 {
			t.Errorf("%s: got %v, %v; want %s", c.in, a, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "ann", "@bücher.test", "ann@bücher.test, bob@bücher.test", "ann@bü_cher.test", "ann@-bücher.test", "ann@bü cher.test",
		"ann@\u200dbücher.test", "ann@bü\u200dcher.test", "ann@bücher..test", "ann@bücher。",
		"ann@" + strings.Repeat("ü", 64) + ".test", strings.Repeat("ä", 33) + "@acme.test",
		"ann@" + strings.Repeat("üxyz.", 30) + "test", "ann@אa.test", "ann@bücher.test\r\nRCPT TO:<eve@acme.test>",
	} {
		a, err := Parse(in)
		if err == nil {
			t.Errorf("%q is taken as %q", in, a.String())
		} else if strings.Contains(err.Error(), "cher") {
			t.Errorf("the error %q tells the address", err)
		}
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1": "[192.0.2.1]", "::ffff:192.0.2.1": "[192.0.2.1]", "2001:db8::1": "[IPv6:2001:db8::1]", "fe80::1%eth0": "[IPv6:fe80::1]",
	} {
		if got := Literal(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

// FuzzParse: what is taken is one line, and its domain is ASCII.
func FuzzParse(f *testing.F) {
	f.Add("Ann Ö <änn@bücher.test>")
	f.Add(`"a b"@[IPv6:2001:db8::1]`)
	f.Add("ann@xn--bcher-kva。test")
	f.Fuzz(func(t *testing.T, in string) {
		a, err := Parse(in)
		if err != nil {
			return
		}
		wire, at := a.String(), strings.LastIndexByte(a.Address, '@')
		if strings.ContainsAny(wire, "\r\n\x00") || at < 1 || !IsASCII(a.Address[at:]) || utf8.RuneCountInString(a.Address) > maxAddress {
			t.Errorf("%q is taken as %q", in, wire)
		}
		if again, err := Parse(wire); err != nil || again.Address != a.Address {
			t.Errorf("%q is %q, which reads as %v, %v", in, wire, again, err)
		}
	})
}
