package endpoint

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// equals reports whether two values are the same. Of numbers that is their value:
// 300, 300.0 and 3e2 are one.
func (v value) equals(other value) bool {
	if v.kind != other.kind {
		return false
	}
	switch v.kind {
	case jsontext.KindString:
		return v.string() == other.string()
	case jsontext.KindNumber:
		return v.raw == other.raw || v.number().compare(other.number()) == 0
	}
	return true
}

// prefixTest is that of {"prefix": "a"}.
func prefixTest(of value) (test, string) {
	if of.kind == jsontext.KindBeginObject && len(of.members) == 1 {
		return nil, "with " + of.members[0].text + " is not supported: it takes a string"
	}
	if of.kind != jsontext.KindString {
		return nil, "must be a string"
	}
	prefix := of.string()
	return func(v value) bool { return v.kind == jsontext.KindString && strings.HasPrefix(v.string(), prefix) }, ""
}

// anythingBut is the test of {"anything-but": …}: a string, a number, an array of
// either, or {"prefix": "a"}.
func anythingBut(of value) (test, string) {
	none := []value{of}
	switch of.kind {
	case jsontext.KindString, jsontext.KindNumber:
	case jsontext.KindBeginArray:
		none = of.elements
	case jsontext.KindBeginObject:
		return anythingButPrefix(of)
	default:
		return nil, "must be a string, a number, an array of one of these, or a prefix"
	}
	if len(none) == 0 {
		return nil, "is an empty array"
	}
	for _, e := range none {
		if e.kind != none[0].kind || e.kind != jsontext.KindString && e.kind != jsontext.KindNumber {
			return nil, "must have strings only, or numbers only"
		}
	}
	return func(v value) bool { return !slices.ContainsFunc(none, v.equals) }, ""
}

func anythingButPrefix(of value) (test, string) {
	if len(of.members) != 1 || of.members[0].text != "prefix" {
		for _, m := range of.members {
			return nil, "with " + m.text + " is not supported: it takes a prefix"
		}
		return nil, "must be a string, a number, an array of one of these, or a prefix"
	}
	prefixes := []value{of.members[0]}
	if prefixes[0].kind == jsontext.KindBeginArray {
		prefixes = prefixes[0].elements
	}
	var tests []test
	for _, p := range prefixes {
		t, problem := prefixTest(p)
		if problem != "" || p.string() == "" {
			return nil, "with prefix must have strings that are not empty"
		}
		tests = append(tests, t)
	}
	if len(tests) == 0 {
		return nil, "with prefix is an empty array"
	}
	return func(v value) bool { return !slices.ContainsFunc(tests, func(t test) bool { return t(v) }) }, ""
}

// comparisons are numeric's operators, by how a number compares to the bound.
var comparisons = map[string]func(order int) bool{
	"=":  func(order int) bool { return order == 0 },
	">":  func(order int) bool { return order > 0 },
	">=": func(order int) bool { return order >= 0 },
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
}

// numericTest is that of {"numeric": [">", 0, "<=", 5]}: one bound, or a lower one and
// an upper one.
func numericTest(of value) (test, string) {
	const must = `must be ["=", 1], or a bound such as ["<", 10], or two such as [">", 0, "<=", 5]`
	terms := of.elements
	if of.kind != jsontext.KindBeginArray || len(terms) != 2 && len(terms) != 4 {
		return nil, must
	}
	type bound struct {
		holds func(order int) bool
		of    decimal
	}
	var bounds []bound
	for i := 0; i < len(terms); i += 2 {
		holds := comparisons[terms[i].string()]
		if terms[i].kind != jsontext.KindString || holds == nil || terms[i+1].kind != jsontext.KindNumber {
			return nil, must
		}
		bounds = append(bounds, bound{holds, terms[i+1].number()})
	}
	if len(bounds) == 2 {
		if !strings.HasPrefix(terms[0].string(), ">") || !strings.HasPrefix(terms[2].string(), "<") {
			return nil, must
		}
		if bounds[0].of.compare(bounds[1].of) >= 0 {
			return nil, "has bounds that nothing is between"
		}
	}
	return func(v value) bool {
		if v.kind != jsontext.KindNumber {
			return false
		}
		n := v.number()
		return !slices.ContainsFunc(bounds, func(b bound) bool { return !b.holds(n.compare(b.of)) })
	}, ""
}
