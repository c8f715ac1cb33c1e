package render

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// mostDigits is how long a number may be that is compared and rounded exactly, and
// mostExponent how large its exponent: of others as much is looked at as a float has.
const (
	mostDigits   = 400
	mostExponent = 400
	mostPlaces   = 20
)

// rational is a number exactly.
func rational(value any) (*big.Rat, bool) {
	switch value.(type) {
	case int, int64, float64, decimal:
	default:
		return nil, false
	}
	text, _ := scalar(value)
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	e, err := strconv.Atoi(cmp.Or(exponent, "0"))
	if len(text) <= mostDigits && err == nil && e >= -mostExponent && e <= mostExponent {
		return new(big.Rat).SetString(text)
	}
	f, _ := strconv.ParseFloat(text, 64) // what is too large is infinite, and no fraction
	r := new(big.Rat).SetFloat64(f)
	return r, r != nil
}

// fixed rounds a number to places after the point, halves away from zero.
func (b *budget) fixed(places int, value any) (string, error) {
	r, ok := rational(value)
	if !ok || places < 0 || places > mostPlaces {
		return "", valuef("fixed takes 0 to %d places, and a number", mostPlaces)
	}
	return r.FloatString(places), b.take(16)
}

// compare orders two numbers, or two texts.
func (b *budget) compare(x, y any) (int, error) {
	if s, ok := x.(string); ok {
		if t, ok := y.(string); ok {
			return cmp.Compare(s, t), b.bytes(min(len(s), len(t)))
		}
	}
	m, isM := rational(x)
	n, isN := rational(y)
	if !isM || !isN {
		return 0, valuef("%s and %s can't be compared", kindOf(x), kindOf(y))
	}
	return m.Cmp(n), b.take(8)
}

func (b *budget) order(is func(int) bool) func(x, y any) (bool, error) {
	return func(x, y any) (bool, error) {
		c, err := b.compare(x, y)
		return is(c), err
	}
}

// equal reports whether a value is one of others. Values of different kinds are not
// equal.
func (b *budget) equal(x any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, valuef("eq takes two values at least")
	}
	for _, y := range others {
		if isComposite(x) || isComposite(y) {
			return false, valuef("%s and %s can't be compared", kindOf(x), kindOf(y))
		}
		if err := b.take(1); err != nil {
			return false, err
		}
		if x == nil || y == nil || kindOf(x) != kindOf(y) {
			if x == nil && y == nil {
				return true, nil
			}
			continue
		}
		if p, ok := x.(bool); ok {
			if p == y {
				return true, nil
			}
			continue
		}
		if c, err := b.compare(x, y); err != nil || c == 0 {
			return err == nil, err
		}
	}
	return false, nil
}

func (b *budget) unequal(x, y any) (bool, error) {
	same, err := b.equal(x, y)
	return !same, err
}

func isComposite(value any) bool {
	kind := kindOf(value)
	return kind == "an object" || kind == "an array"
}
