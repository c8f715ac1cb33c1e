package endpoint

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// value is a JSON value as filters look at it.
type value struct {
	kind jsontext.Kind
	// raw is the text of a number or a string. A string's is unquoted when it is asked
	// for, as few are.
	raw string
	// text is the key that it is the value of.
	text string
	// elements are those of an array, members those of an object, in their order: a key
	// may stand there twice.
	elements, members []value
}

// parser reads values, and passes over the members that nobody looks at.
type parser struct {
	*jsontext.Decoder
	used func(name string) bool
}

// parseValue reads one value, with the members of used names, and reports whether it is
// JSON.
func parseValue(data []byte, used func(name string) bool) (value, bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return parser{d, used}.next()
}

func (d parser) next() (v value, ok bool) {
	switch v.kind = d.PeekKind(); v.kind {
	case jsontext.KindBeginObject:
		ok = d.inside(jsontext.KindEndObject, func() bool { return d.member(&v) })
		return v, ok
	case jsontext.KindBeginArray:
		ok = d.inside(jsontext.KindEndArray, func() bool {
			e, ok := d.next()
			v.elements = append(v.elements, e)
			return ok
		})
		return v, ok
	}
	raw, err := d.ReadValue()
	v.raw = string(raw)
	return v, err == nil
}

func (d parser) member(of *value) bool {
	name, err := d.ReadToken()
	if err != nil {
		return false
	}
	text := name.String() // before the next read, which ends name's life
	if !d.used(text) {
		return d.SkipValue() == nil
	}
	m, ok := d.next()
	m.text = text
	of.members = append(of.members, m)
	return ok
}

// inside reads what is within an object or an array.
func (d parser) inside(end jsontext.Kind, one func() bool) bool {
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	for d.PeekKind() != end {
		if !one() {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == nil
}

// string is a string's text.
func (v value) string() string {
	if len(v.raw) < 2 || v.raw[0] != '"' {
		return ""
	}
	text, _ := jsontext.AppendUnquote(nil, v.raw)
	return string(text)
}

// number is a number's value.
func (v value) number() decimal { return parseDecimal(v.raw) }

// all are the values of a key.
func (v value) all(name string) (values []value) {
	for _, m := range v.members {
		if m.text == name {
			values = append(values, m)
		}
	}
	return values
}

// each gives values, and of an array its elements instead, however deep.
func each(values []value) iter.Seq[value] {
	return func(yield func(value) bool) { walk(values, yield) }
}

func walk(values []value, yield func(value) bool) bool {
	for _, v := range values {
		if v.kind == jsontext.KindBeginArray {
			if !walk(v.elements, yield) {
				return false
			}
		} else if !yield(v) {
			return false
		}
	}
	return true
}
