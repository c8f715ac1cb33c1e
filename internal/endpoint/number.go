package endpoint

import (
	"cmp"
	"strconv"
	"strings"
)

// decimal is a JSON number of any size, exactly: 0.digits times ten to the exponent.
// Zero has no digits. Exponents over 2^40 either way are taken for that.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

const maxExponent = 1 << 40

// parseDecimal reads what is a number by RFC 8259.
func parseDecimal(raw string) (d decimal) {
	raw, d.negative = strings.CutPrefix(raw, "-")
	mantissa, power := raw, ""
	if i := strings.IndexAny(raw, "eE"); i >= 0 {
		mantissa, power = raw[:i], raw[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	d.digits = strings.TrimLeft(all, "0")
	leading := len(all) - len(d.digits)
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	n, _ := strconv.ParseInt(power, 10, 64) // out of range it is the limit
	d.exponent = min(max(n, -maxExponent), maxExponent) + int64(len(whole)-leading)
	return d
}

// compare is negative where d is the smaller number, 0 where both are the same.
func (d decimal) compare(other decimal) int {
	sign, otherSign := d.sign(), other.sign()
	if sign != otherSign || sign == 0 {
		return cmp.Compare(sign, otherSign)
	}
	return sign * cmp.Or(cmp.Compare(d.exponent, other.exponent), strings.Compare(d.digits, other.digits))
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}
